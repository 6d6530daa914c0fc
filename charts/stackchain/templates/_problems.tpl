{{/* Values that contradict one another, one sentence each: which ones, why, and what to do instead.
     The schema refuses single values; these are wrong only in combination. */}}
{{- define "stackchain.problems" -}}
{{- include "stackchain.problems.temporal" . -}}
{{- include "stackchain.problems.connections" . -}}
{{- include "stackchain.problems.ca" (dict "ca" .Values.spacelift.ca "path" "spacelift.ca") -}}
{{- include "stackchain.problems.notifications" . -}}
{{- include "stackchain.problems.scope" . -}}
{{- include "stackchain.problems.pods" . -}}
{{- include "stackchain.problems.webhook" . -}}
{{- include "stackchain.problems.ui" . -}}
{{- include "stackchain.problems.metrics" . -}}
{{- include "stackchain.problems.network" . -}}
{{- include "stackchain.problems.others" . -}}
{{- end -}}

{{/* Other releases, which only a cluster knows: this finds none if Helm only renders. */}}
{{- define "stackchain.problems.others" -}}
{{- $others := dict }}
{{- if not .Values.watchNamespaces }}
{{- range $role := (lookup "rbac.authorization.k8s.io/v1" "ClusterRole" "" "").items }}
{{- $labels := $role.metadata.labels | default dict }}
{{- $notes := $role.metadata.annotations | default dict }}
{{- $name := get $notes "meta.helm.sh/release-name" }}
{{- $namespace := get $notes "meta.helm.sh/release-namespace" }}
{{- if and (eq (get $labels "app.kubernetes.io/part-of") "stackchain") $name (or (ne $name $.Release.Name) (ne $namespace $.Release.Namespace)) }}
{{- $_ := set $others (printf "%s in the namespace %s" $name $namespace) true }}
{{- end }}
{{- end }}
{{- end }}
{{- range $other, $_ := $others }}
watchNamespaces: the release {{ $other }} also serves namespaces of this cluster; upgrade that release, uninstall it, or give each release separate namespaces.
{{- end }}
{{- end -}}

{{- define "stackchain.problems.network" -}}
{{- with .Values.networkPolicy }}
{{- range $key := list "metricsFrom" "webhookFrom" "uiFrom" "extraEgress" }}
{{- if and (index $.Values.networkPolicy $key) (not $.Values.networkPolicy.enabled) }}
networkPolicy.{{ $key }}: it has no effect while there are no policies; set networkPolicy.enabled, or remove it.
{{- end }}
{{- end }}
{{- if and .webhookFrom (not $.Values.webhook.enabled) }}
networkPolicy.webhookFrom: there is no receiver; set webhook.enabled, or remove it.
{{- end }}
{{- if and .uiFrom (not $.Values.ui.enabled) }}
networkPolicy.uiFrom: there is no page; set ui.enabled, or remove it.
{{- end }}
{{- end }}
{{- end -}}

{{- define "stackchain.problems.temporal" -}}
{{- $temporal := .Values.temporal -}}
{{- if and $temporal.devServer.enabled $temporal.address }}
temporal.devServer.enabled and temporal.address: the release either runs its own Temporal for a trial or uses an existing one; keep one of the two.
{{- else if not (or $temporal.devServer.enabled $temporal.address) }}
temporal.address: set it to host:port of your Temporal, or set temporal.devServer.enabled for a trial.
{{- end }}
{{- if and $temporal.apiKey.existingSecret $temporal.apiKey.value }}
temporal.apiKey: existingSecret and value are both set; keep one of the two.
{{- end }}
{{- include "stackchain.problems.ca" (dict "ca" $temporal.tls.ca "path" "temporal.tls.ca") -}}
{{- with $temporal.tls.client }}
{{- if and .existingSecret (or .certificate .privateKey) }}
temporal.tls.client: existingSecret is set together with certificate or privateKey; keep one of the two.
{{- else if ne (empty .certificate) (empty .privateKey) }}
temporal.tls.client: certificate and privateKey belong together; set both or neither.
{{- end }}
{{- end }}
{{- if and (kindIs "bool" $temporal.tls.enabled) (not $temporal.tls.enabled) (include "stackchain.temporalTls" .) }}
temporal.tls.enabled: false contradicts the API key or the other values of temporal.tls, which need TLS; remove either this value or those.
{{- end }}
{{- if and $temporal.devServer.enabled (include "stackchain.temporalTls" .) }}
temporal.devServer.enabled: the development server does not use TLS; remove temporal.apiKey and temporal.tls.
{{- end }}
{{- end -}}

{{- define "stackchain.problems.ca" -}}
{{- if gt (len (compact (list .ca.existingSecret .ca.existingConfigMap .ca.value))) 1 }}
{{ .path }}: of existingSecret, existingConfigMap and value, set at most one.
{{- end }}
{{- end -}}

{{- define "stackchain.problems.connections" -}}
{{- if not .Values.spacelift.connections }}
spacelift.connections: there are none; add at least spacelift.connections.default with its endpoint and an existingSecret with the API key.
{{- end }}
{{- range $name, $connection := .Values.spacelift.connections }}
{{- $path := printf "spacelift.connections.%s" $name }}
{{- if not (regexMatch "^[a-z0-9]([a-z0-9-]{0,48}[a-z0-9])?$" $name) }}
{{ $path }}: the name of a connection has at most 50 lower case letters, digits and inner dashes, such as prod-eu; StackChains name it in spec.connectionName.
{{- end }}
{{- $given := or $connection.apiKeyId $connection.apiKeySecret }}
{{- if and $connection.existingSecret $given }}
{{ $path }}: existingSecret is set together with apiKeyId or apiKeySecret; keep one of the two.
{{- else if not (or $connection.existingSecret $given) }}
{{ $path }}: has no API key; set existingSecret, or apiKeyId and apiKeySecret.
{{- else if and $given (not (and $connection.apiKeyId $connection.apiKeySecret)) }}
{{ $path }}: apiKeyId and apiKeySecret belong together; set both.
{{- end }}
{{- with $connection.webhookSecret }}
{{- if and .existingSecret .values }}
{{ $path }}.webhookSecret: existingSecret and values are both set; keep one of the two.
{{- else if not (or .existingSecret .values) }}
{{ $path }}.webhookSecret: has no secret; set existingSecret or values.
{{- end }}
{{- if not $.Values.webhook.enabled }}
{{ $path }}.webhookSecret: there is no receiver for the deliveries; set webhook.enabled, or remove it.
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "stackchain.problems.notifications" -}}
{{- $seen := dict }}
{{- range .Values.notifications.sinks }}
{{- if hasKey $seen .name }}
notifications.sinks: {{ .name }} appears twice; rename one.
{{- end }}
{{- $_ := set $seen .name true }}
{{- if eq (empty .url) (empty .urlSecret) }}
notifications.sinks: {{ .name }} needs either url or urlSecret.
{{- end }}
{{- $sink := . }}
{{- $plain := list }}
{{- range $header, $_ := .headers }}{{- $plain = append $plain (lower $header) }}{{- end }}
{{- range $header, $_ := .headerSecrets }}
{{- if has (lower $header) $plain }}
notifications.sinks: {{ $sink.name }} has the header {{ $header }} in headers and in headerSecrets; keep one of the two.
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "stackchain.problems.scope" -}}
{{- range $name, $connection := .Values.spacelift.connections }}
{{- if and (hasPrefix "http://" $connection.endpoint) (not $.Values.spacelift.allowHTTP) }}
spacelift.connections.{{ $name }}.endpoint: {{ $connection.endpoint }} would send the API key in plain text; use https, or set spacelift.allowHTTP.
{{- end }}
{{- end }}
{{- with .Values.watchNamespaces }}
{{- $served := join ", " . }}
{{- if $.Values.crds.enabled }}
crds.enabled: a release for some namespaces (watchNamespaces: {{ $served }}) must not own the definition for the whole cluster; have an administrator apply it once, and set crds.enabled to false.
{{- end }}
{{- if $.Values.rbac.aggregatedRoles }}
rbac.aggregatedRoles: a release for some namespaces (watchNamespaces: {{ $served }}) creates no ClusterRoles; remove it.
{{- end }}
{{- if not $.Values.installation.id }}
installation.id: with watchNamespaces, the operator may not read the cluster's id; set a name that no other release uses in the same Temporal namespace.
{{- end }}
{{- range $name, $connection := $.Values.spacelift.connections }}
{{- range $allowed := $connection.allowedNamespaces }}
{{- if not (or (eq $allowed "*") (has $allowed $.Values.watchNamespaces)) }}
spacelift.connections.{{ $name }}.allowedNamespaces: {{ $allowed }} is not in watchNamespaces, so the release does not serve its StackChains; add it there, or remove it here.
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "stackchain.problems.pods" -}}
{{- $scaling := .Values.worker.autoscaling }}
{{- if and $scaling.type (not (kindIs "invalid" .Values.worker.replicas)) }}
worker.replicas: {{ $scaling.type }} sets the number of pods (worker.autoscaling.type); remove one of the two.
{{- end }}
{{- if and $scaling.type (gt (int $scaling.minReplicas) (int $scaling.maxReplicas)) }}
worker.autoscaling: minReplicas ({{ $scaling.minReplicas }}) is above maxReplicas ({{ $scaling.maxReplicas }}).
{{- end }}
{{- if and (eq $scaling.type "hpa") (not (dig "requests" "cpu" "" .Values.worker.resources)) }}
worker.resources.requests.cpu: worker.autoscaling.type hpa compares CPU usage with it; set it.
{{- end }}
{{- if eq $scaling.type "keda" }}
{{- $client := include "stackchain.temporalClientSecret" . }}
{{- $ca := .Values.temporal.tls.ca }}
{{- if and (include "stackchain.temporalTls" .) (not (or $client (include "stackchain.temporalApiKeySecret" .))) }}
worker.autoscaling.type: keda can use TLS for Temporal only with an API key or a client certificate; set temporal.apiKey or temporal.tls.client, or use hpa.
{{- else if and (or $ca.existingSecret $ca.existingConfigMap $ca.value) (not $client) }}
worker.autoscaling.type: keda uses temporal.tls.ca only with a client certificate; set temporal.tls.client, or use hpa.
{{- end }}
{{- end }}
{{- $pods := include "stackchain.fewestPods" . | fromYaml }}
{{- range $name := list "operator" "worker" "webhook" "ui" }}
{{- $values := index $.Values $name }}
{{- $budget := $values.podDisruptionBudget }}
{{- $there := index $pods $name | int }}
{{- if and $budget.enabled (gt $there 1) }}
{{- $stay := kindIs "string" $budget.minAvailable | ternary (eq (toString $budget.minAvailable) "100%") (ge (int $budget.minAvailable) $there) }}
{{- if $stay }}
{{ $name }}.podDisruptionBudget.minAvailable: with {{ $there }} pods, no node can be drained if {{ $budget.minAvailable }} must stay; lower it.
{{- end }}
{{- if has (toString $budget.maxUnavailable) (list "0" "0%") }}
{{ $name }}.podDisruptionBudget.maxUnavailable: with {{ $budget.maxUnavailable }}, no node can be drained; raise it.
{{- end }}
{{- if and (kindIs "invalid" $budget.minAvailable) (kindIs "invalid" $budget.maxUnavailable) }}
{{ $name }}.podDisruptionBudget: neither minAvailable nor maxUnavailable is set; set one of the two, or set enabled to false.
{{- end }}
{{- end }}
{{- if and (not (kindIs "invalid" $budget.minAvailable)) (not (kindIs "invalid" $budget.maxUnavailable)) }}
{{ $name }}.podDisruptionBudget: Kubernetes accepts only one of minAvailable and maxUnavailable; set maxUnavailable to null to use minAvailable.
{{- end }}
{{- if and $values.serviceAccount.annotations (not $values.serviceAccount.create) }}
{{ $name }}.serviceAccount.annotations: the chart does not create the service account (create is false); annotate it yourself.
{{- end }}
{{- end }}
{{- include "stackchain.problems.labels" . -}}
{{- include "stackchain.problems.variables" . -}}
{{- if and (not .Values.rbac.create) .Values.rbac.aggregatedRoles }}
rbac.aggregatedRoles: rbac.create is false, which creates no roles at all; remove one of the two.
{{- end }}
{{- end -}}

{{/* Selectors use the chart's labels, so no other values may replace them. */}}
{{- define "stackchain.problems.labels" -}}
{{- $own := list "app.kubernetes.io/name" "app.kubernetes.io/instance" "app.kubernetes.io/component" "app.kubernetes.io/part-of" "app.kubernetes.io/managed-by" "app.kubernetes.io/version" "helm.sh/chart" }}
{{- $given := dict "commonLabels" .Values.commonLabels }}
{{- range list "operator" "worker" "webhook" "ui" }}
{{- $_ := set $given (printf "%s.podLabels" .) (index $.Values .).podLabels }}
{{- end }}
{{- range $path, $labels := $given }}
{{- range $key, $_ := $labels }}
{{- if has $key $own }}
{{ $path }}: the chart uses {{ $key }} itself; choose another key.
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{/* The API server refuses a variable that appears twice, without naming the value of the chart. */}}
{{- define "stackchain.problems.variables" -}}
{{- range $name := list "operator" "worker" "webhook" "ui" }}
{{- $own := dict }}
{{- range include (printf "stackchain.%sEnv" $name) $ | fromYamlArray }}
{{- $_ := set $own .name true }}
{{- end }}
{{- $seen := dict }}
{{- range (index $.Values $name).extraEnv }}
{{- if hasKey $own .name }}
{{ $name }}.extraEnv: the chart sets {{ .name }} itself; use the chart's value for it.
{{- else if hasKey $seen .name }}
{{ $name }}.extraEnv: {{ .name }} appears twice; remove one.
{{- end }}
{{- $_ := set $seen .name true }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "stackchain.problems.ui" -}}
{{- with .Values.ui }}
{{- if and .enabled (not .url) }}
ui.url: requests for other hosts are refused; set it to the address of the page as browsers see it, such as https://stackchain.example.com.
{{- end }}
{{- range .namespaces }}
{{- if and $.Values.watchNamespaces (not (has . $.Values.watchNamespaces)) }}
ui.namespaces: {{ . }} is not in watchNamespaces, so the release does not serve its StackChains; add it there, or remove it here.
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "stackchain.problems.webhook" -}}
{{- $webhook := .Values.webhook }}
{{- range $route := list "ingress" "httpRoute" }}
{{- if and (index $webhook $route).enabled (not $webhook.enabled) }}
webhook.{{ $route }}.enabled: it would lead nowhere; set webhook.enabled, or remove it.
{{- end }}
{{- end }}
{{- if and $webhook.ingress.enabled (not $webhook.ingress.host) }}
webhook.ingress.host: an Ingress needs the host name that Spacelift sends to; set it.
{{- end }}
{{- if and $webhook.httpRoute.enabled (not $webhook.httpRoute.parentRefs) }}
webhook.httpRoute.parentRefs: an HTTPRoute belongs to a Gateway; name at least one Gateway.
{{- end }}
{{- if $webhook.enabled }}
{{- $signed := false }}
{{- range .Values.spacelift.connections }}
{{- if .webhookSecret }}{{- $signed = true }}{{- end }}
{{- end }}
{{- if not $signed }}
webhook.enabled: no connection has a webhookSecret, so every delivery would be refused; set spacelift.connections.<name>.webhookSecret.
{{- end }}
{{- end }}
{{- end -}}

{{- define "stackchain.problems.metrics" -}}
{{- $metrics := .Values.metrics -}}
{{- if and $metrics.serviceMonitor.enabled $metrics.podMonitor.enabled }}
metrics.serviceMonitor.enabled and metrics.podMonitor.enabled: each pod would be scraped twice; keep one of the two.
{{- end }}
{{- $known := list }}
{{- range $path, $_ := .Files.Glob "alerts/*.yaml" }}
{{- range ($.Files.Get $path | fromYaml).groups }}{{- range .rules }}{{- $known = append $known .alert }}{{- end }}{{- end }}
{{- end }}
{{- range $metrics.prometheusRule.disabledAlerts }}
{{- if not (has . $known) }}
metrics.prometheusRule.disabledAlerts: there is no alert {{ . }}; there are {{ join ", " $known }}.
{{- end }}
{{- end }}
{{- end -}}
