{{/* Volumes and their mounts, by what they are for. Each template gives a YAML list of
     {volume: {...}, mount: {...}}, so that the two cannot get out of step.

     Secrets are optional to Kubernetes, not to us: a pod whose Secret is missing then starts, says in
     one line which file is missing, and ends with that line as its termination message. Without it
     the pod would hang before its first line. */}}

{{- define "stackchain.mounts.tmp" -}}
- volume: {name: tmp, emptyDir: {sizeLimit: 64Mi}}
  mount: {name: tmp, mountPath: /tmp}
{{- end -}}

{{- define "stackchain.mounts.connections" -}}
- volume:
    name: connections
    configMap:
      name: {{ include "stackchain.componentName" (dict "root" . "component" "connections") }}
  mount: {name: connections, mountPath: /etc/stackchain/connections, readOnly: true}
{{- end -}}

{{/* Keys that the operator signs with, and workers check by: for these two only. */}}
{{- define "stackchain.mounts.signing" -}}
{{- $secret := include "stackchain.signingSecret" . }}
- volume:
    name: signing
    secret: {secretName: {{ $secret }}, optional: true, defaultMode: 0440, items: [{key: {{ quote .Values.signing.key }}, path: {{ quote .Values.signing.key }}}]}
  mount: {name: signing, mountPath: /etc/stackchain/signing/{{ $secret }}, readOnly: true}
{{- end -}}

{{/* API keys of the connections: for the worker and the check only. */}}
{{- define "stackchain.mounts.spaceliftKeys" -}}
{{- range $name, $connection := .Values.spacelift.connections }}
{{- $secret := include "stackchain.connectionSecret" (dict "root" $ "name" $name "connection" $connection) }}
{{- $id := $connection.apiKeyIdKey | default "api-key-id" }}
{{- $key := $connection.apiKeySecretKey | default "api-key-secret" }}
- volume:
    name: spacelift-{{ $name }}
    secret:
      secretName: {{ $secret }}
      optional: true
      defaultMode: 0440
      items: [{key: {{ $id | quote }}, path: {{ $id | quote }}}, {key: {{ $key | quote }}, path: {{ $key | quote }}}]
  mount:
    name: spacelift-{{ $name }}
    mountPath: /etc/stackchain/spacelift/{{ $name }}/{{ $secret }}
    readOnly: true
{{- end }}
{{- end -}}

{{- define "stackchain.mounts.spaceliftCa" -}}
{{- include "stackchain.mounts.ca" (dict "ca" .Values.spacelift.ca "name" "spacelift-ca" "path" "/etc/stackchain/spacelift-ca" "made" (include "stackchain.componentName" (dict "root" . "component" "spacelift-ca"))) }}
{{- end -}}

{{/* Authorities from a Secret, a ConfigMap, or the ConfigMap that is made of a value. */}}
{{- define "stackchain.mounts.ca" -}}
{{- if or .ca.existingSecret .ca.existingConfigMap .ca.value }}
- volume:
    name: {{ .name }}
    {{- if .ca.existingSecret }}
    secret: {secretName: {{ .ca.existingSecret }}, optional: true, defaultMode: 0440, items: [{key: {{ .ca.key | quote }}, path: {{ .ca.key | quote }}}]}
    {{- else }}
    configMap: {name: {{ .ca.existingConfigMap | default .made }}, optional: true, items: [{key: {{ .ca.key | quote }}, path: {{ .ca.key | quote }}}]}
    {{- end }}
  mount: {name: {{ .name }}, mountPath: {{ .path }}, readOnly: true}
{{- end }}
{{- end -}}

{{- define "stackchain.mounts.temporal" -}}
{{- $tls := .Values.temporal.tls }}
{{- with include "stackchain.temporalApiKeySecret" . }}
{{- $key := include "stackchain.temporalApiKeyKey" $ }}
- volume:
    name: temporal-api-key
    secret: {secretName: {{ . }}, optional: true, defaultMode: 0440, items: [{key: {{ quote $key }}, path: {{ quote $key }}}]}
  mount: {name: temporal-api-key, mountPath: /etc/stackchain/temporal/api-key/{{ . }}, readOnly: true}
{{- end }}
{{- with .Values.temporal.payloadKeys }}
{{- if .existingSecret }}
- volume:
    name: temporal-payload-keys
    secret: {secretName: {{ .existingSecret }}, optional: true, defaultMode: 0440, items: [{key: {{ quote .key }}, path: {{ quote .key }}}]}
  mount: {name: temporal-payload-keys, mountPath: /etc/stackchain/temporal/payload-keys/{{ .existingSecret }}, readOnly: true}
{{- end }}
{{- end }}
{{- include "stackchain.mounts.ca" (dict "ca" $tls.ca "name" "temporal-ca" "path" "/etc/stackchain/temporal/ca" "made" (include "stackchain.componentName" (dict "root" . "component" "temporal-ca"))) }}
{{- with include "stackchain.temporalClientSecret" . }}
- volume:
    name: temporal-client
    secret:
      secretName: {{ . }}
      optional: true
      defaultMode: 0440
      items:
      - {key: {{ quote $tls.client.certificateKey }}, path: {{ quote $tls.client.certificateKey }}}
      - {key: {{ quote $tls.client.privateKeyKey }}, path: {{ quote $tls.client.privateKeyKey }}}
  mount: {name: temporal-client, mountPath: /etc/stackchain/temporal/client/{{ . }}, readOnly: true}
{{- end }}
{{- end -}}

{{/* Secrets that deliveries are signed with: for the webhook only. Without them it would start and
     refuse every delivery, after ten of which Spacelift disables the webhook; so the pod waits. */}}
{{- define "stackchain.mounts.webhookSecrets" -}}
{{- range $name, $connection := .Values.spacelift.connections }}
{{- $argument := dict "root" $ "name" $name "connection" $connection }}
{{- with (include "stackchain.webhookSecretFiles" $argument | fromYaml).files }}
{{- $secret := include "stackchain.webhookSecret" $argument }}
- volume:
    name: webhook-{{ $name }}
    secret:
      secretName: {{ $secret }}
      defaultMode: 0440
      items:
      {{- range . }}
      - {key: {{ base . | quote }}, path: {{ base . | quote }}}
      {{- end }}
  mount:
    name: webhook-{{ $name }}
    mountPath: /etc/stackchain/webhook/{{ $name }}/{{ $secret }}
    readOnly: true
{{- end }}
{{- end }}
{{- end -}}

{{- define "stackchain.mounts.notifications" -}}
{{- if .Values.notifications.sinks -}}
- volume:
    name: notifications
    configMap:
      name: {{ include "stackchain.componentName" (dict "root" . "component" "notifications") }}
  mount: {name: notifications, mountPath: /etc/stackchain/notifications, readOnly: true}
{{- end -}}
{{- end -}}

{{/* URLs and headers of sinks that come from Secrets: for the worker only. */}}
{{- define "stackchain.mounts.notificationSecrets" -}}
{{- range $sink := .Values.notifications.sinks }}
{{- $secrets := concat (compact (list $sink.urlSecret)) (values ($sink.headerSecrets | default dict)) }}
{{- if $secrets }}
- volume:
    name: sink-{{ $sink.name }}
    projected:
      defaultMode: 0440
      sources:
      {{- range $secrets | uniq }}
      - secret: {name: {{ .name }}, optional: true, items: [{key: {{ quote .key }}, path: {{ printf "%s/%s" .name .key | quote }}}]}
      {{- end }}
  mount: {name: sink-{{ $sink.name }}, mountPath: /etc/stackchain/sinks/{{ $sink.name }}, readOnly: true}
{{- end }}
{{- end }}
{{- end -}}
