{{/* Name of the chart or of `nameOverride`, for labels. */}}
{{- define "stackchain.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{/* First part of all object names. 50 characters, so that the longest suffix still fits into 63. */}}
{{- define "stackchain.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- $name := include "stackchain.name" . -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Name of a component's objects. Takes (dict "root" . "component" "worker"). */}}
{{- define "stackchain.componentName" -}}
{{- printf "%s-%s" (include "stackchain.fullname" .root) .component -}}
{{- end -}}

{{/* What never changes about a component's pods. Takes (dict "root" . "component" "worker"). */}}
{{- define "stackchain.selectorLabels" -}}
app.kubernetes.io/name: {{ include "stackchain.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{/* Labels of all objects. Takes (dict "root" . "component" "worker"). */}}
{{- define "stackchain.labels" -}}
{{ include "stackchain.selectorLabels" . }}
app.kubernetes.io/part-of: stackchain
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Metadata of an object of a component.
     Takes (dict "root" . "component" "worker"), with "name" and "namespace" if they are not the
     component's and the release's, "annotations", "extraLabels", and "cluster" true for one without a namespace. */}}
{{- define "stackchain.metadata" -}}
name: {{ .name | default (include "stackchain.componentName" .) }}
{{- if not .cluster }}
namespace: {{ .namespace | default .root.Release.Namespace }}
{{- end }}
labels:
  {{- mergeOverwrite (include "stackchain.labels" . | fromYaml) (.extraLabels | default dict) | toYaml | nindent 2 }}
{{- with mergeOverwrite (dict) (.root.Values.commonAnnotations | default dict) (.annotations | default dict) }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Whether there are ClusterRoles for people: "true" or empty. */}}
{{- define "stackchain.hasPeopleRoles" -}}
{{- if and .Values.rbac.create (empty .Values.watchNamespaces) -}}true{{- end -}}
{{- end -}}

{{/* First part of their names. */}}
{{- define "stackchain.peoplePrefix" -}}
{{- printf "%s-%s" .Release.Namespace (include "stackchain.fullname" .) -}}
{{- end -}}

{{/* Kubernetes' own roles that get the same rights to StackChains, as a JSON list. */}}
{{- define "stackchain.aggregatedRoles" -}}
{{- kindIs "invalid" .Values.rbac.aggregatedRoles | ternary (list "view") .Values.rbac.aggregatedRoles | toJson -}}
{{- end -}}

{{/* Name of a component's service account. Takes (dict "root" . "component" "worker"). */}}
{{- define "stackchain.serviceAccountName" -}}
{{- $account := (index .root.Values .component).serviceAccount -}}
{{- if $account.create -}}
{{- $account.name | default (include "stackchain.componentName" .) -}}
{{- else -}}
{{- $account.name | default "default" -}}
{{- end -}}
{{- end -}}

{{/* Reference of a container image. Takes (dict "root" . "image" .Values.image). */}}
{{- define "stackchain.image" -}}
{{- $name := .image.repository -}}
{{- with .image.registry }}{{- $name = printf "%s/%s" . $name -}}{{- end -}}
{{- if .image.digest -}}
{{- printf "%s@%s" $name .image.digest -}}
{{- else -}}
{{- printf "%s:%s" $name (.image.tag | default .root.Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

{{/* A separate task queue for this release; otherwise workers of another one, with other accounts, would take its tasks. */}}
{{- define "stackchain.taskQueue" -}}
{{- .Values.temporal.taskQueue | default (printf "spacelift-task-queue-%s" (.Values.installation.id | default .Release.Namespace)) -}}
{{- end -}}

{{/* Host and port of Temporal. */}}
{{- define "stackchain.temporalAddress" -}}
{{- if .Values.temporal.devServer.enabled -}}
{{- printf "%s.%s.svc:7233" (include "stackchain.componentName" (dict "root" . "component" "temporal")) .Release.Namespace -}}
{{- else -}}
{{- .Values.temporal.address -}}
{{- end -}}
{{- end -}}

{{/* Whether the connection to Temporal uses TLS: "true" or empty. */}}
{{- define "stackchain.temporalTls" -}}
{{- $tls := .Values.temporal.tls -}}
{{- $ca := or $tls.ca.existingSecret $tls.ca.existingConfigMap $tls.ca.value -}}
{{- $client := or $tls.client.existingSecret $tls.client.certificate -}}
{{- if or $tls.enabled $tls.serverName $ca $client (include "stackchain.temporalApiKeySecret" .) -}}true{{- end -}}
{{- end -}}

{{/* Secret with the values that are given instead of an existing one. */}}
{{- define "stackchain.temporalSecret" -}}
{{- include "stackchain.componentName" (dict "root" . "component" "temporal-credentials") -}}
{{- end -}}

{{/* Secret with the keys that operator and workers share. */}}
{{- define "stackchain.signingSecret" -}}
{{- .Values.signing.existingSecret | default (include "stackchain.componentName" (dict "root" . "component" "signing")) -}}
{{- end -}}

{{- define "stackchain.temporalApiKeySecret" -}}
{{- with .Values.temporal.apiKey -}}
{{- if .existingSecret -}}{{ .existingSecret }}{{- else if .value -}}{{ include "stackchain.temporalSecret" $ }}{{- end -}}
{{- end -}}
{{- end -}}

{{- define "stackchain.temporalClientSecret" -}}
{{- with .Values.temporal.tls.client -}}
{{- if .existingSecret -}}{{ .existingSecret }}{{- else if .certificate -}}{{ include "stackchain.temporalSecret" $ }}{{- end -}}
{{- end -}}
{{- end -}}

{{/* Secret with the API key of a connection. Takes (dict "root" . "name" "default" "connection" {...}). */}}
{{- define "stackchain.connectionSecret" -}}
{{- .connection.existingSecret | default (include "stackchain.componentName" (dict "root" .root "component" (printf "spacelift-%s" .name))) -}}
{{- end -}}

{{/* Files with a connection's webhook secrets, as a YAML list below "files".
     Takes (dict "root" . "name" "default" "connection" {...}). */}}
{{- define "stackchain.webhookSecretFiles" -}}
{{- $webhook := .connection.webhookSecret | default dict -}}
{{- $files := list -}}
{{- if $webhook.existingSecret -}}
{{- range $webhook.keys | default (list "webhook-secret") -}}
{{- $files = append $files (printf "/etc/stackchain/webhook/%s/%s/%s" $.name $webhook.existingSecret .) -}}
{{- end -}}
{{- else if $webhook.values -}}
{{- range $index, $_ := $webhook.values -}}
{{- $files = append $files (printf "/etc/stackchain/webhook/%s/%s/webhook-secret-%d" $.name (include "stackchain.webhookSecret" $) $index) -}}
{{- end -}}
{{- end -}}
{{- dict "files" $files | toYaml -}}
{{- end -}}

{{/* Secret with a connection's webhook secrets. Takes the same. */}}
{{- define "stackchain.webhookSecret" -}}
{{- dig "webhookSecret" "existingSecret" "" .connection | default (include "stackchain.componentName" (dict "root" .root "component" (printf "webhook-%s" .name))) -}}
{{- end -}}

{{/* The connections file. Paths of keys are in it for all roles; only some of them have the files. */}}
{{- define "stackchain.connectionsFile" -}}
connections:
{{- range $name, $connection := .Values.spacelift.connections }}
{{- $argument := dict "root" $ "name" $name "connection" $connection }}
{{- $secret := include "stackchain.connectionSecret" $argument }}
  {{ $name }}:
    endpoint: {{ $connection.endpoint | quote }}
    apiKeyIdFile: /etc/stackchain/spacelift/{{ $name }}/{{ $secret }}/{{ $connection.apiKeyIdKey | default "api-key-id" }}
    apiKeySecretFile: /etc/stackchain/spacelift/{{ $name }}/{{ $secret }}/{{ $connection.apiKeySecretKey | default "api-key-secret" }}
    {{- with $connection.apiKeyName }}
    apiKeyName: {{ quote . }}
    {{- end }}
    {{- /* Lint renders what the schema refuses. */}}
    allowedNamespaces: {{ toJson ($connection.allowedNamespaces | default list) }}
    {{- range $field := list "allowedOperations" "allowedConfirmationPolicies" "allowedVariables" "allowedStackIds" "allowedStackLabels" }}
    {{- if kindIs "slice" (get $connection $field) }}
    {{ $field }}: {{ toJson (get $connection $field) }}
    {{- end }}
    {{- end }}
    {{- if kindIs "bool" $connection.allowCommitSHA }}
    allowCommitSHA: {{ $connection.allowCommitSHA }}
    {{- end }}
    {{- if kindIs "slice" $connection.dependencyLabelPrefixes }}
    dependencyLabelPrefixes: {{ toJson $connection.dependencyLabelPrefixes }}
    {{- end }}
    {{- with $connection.requestsPerMinute }}
    requestsPerMinute: {{ int64 . }}
    {{- end }}
    {{- with (include "stackchain.webhookSecretFiles" $argument | fromYaml).files }}
    webhookSecretFiles: {{ toJson . }}
    {{- end }}
{{- end }}
{{- end -}}
