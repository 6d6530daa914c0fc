{{/* The part of the notes that is about the connection that people use first. */}}
{{- define "stackchain.notes.firstChain" -}}
{{- $names := keys .Values.spacelift.connections | sortAlpha }}
{{- $name := has "default" $names | ternary "default" (first $names) }}
{{- $connection := index .Values.spacelift.connections $name }}
{{- $namespaces := kindIs "slice" $connection.allowedNamespaces | ternary $connection.allowedNamespaces (.Values.watchNamespaces | default (list "default")) }}
{{- $operations := kindIs "slice" $connection.allowedOperations | ternary $connection.allowedOperations (list "Apply" "Plan") }}
{{- if and $namespaces $operations }}
{{- $namespace := first $namespaces }}

Then a first chain of the stack that you name and all that depends on it{{ if has "Plan" $operations }}, which only plans{{ end }}:

    kubectl --namespace {{ $namespace }} apply -f - <<EOF
    apiVersion: stackchain.dev/v1alpha1
    kind: StackChain
    metadata:
      name: first
    spec:
      {{- if ne $name "default" }}
      connectionName: {{ $name }}
      {{- end }}
      operation: {{ has "Plan" $operations | ternary "Plan" (first $operations) }}
      {{- if and (not (has "Plan" $operations)) (eq (first $operations) "Destroy") }}
      destroyConfirmation: first
      {{- end }}
      roots:
        stackIds: [YOUR-STACK-ID]
    EOF
    kubectl --namespace {{ $namespace }} get schain first --watch
{{- else }}

The connection {{ $name }} serves no {{ empty $namespaces | ternary "namespace (allowedNamespaces is empty)" "operation (allowedOperations is empty)" }}, so no StackChain can use it yet.
{{- end }}

If it is not Ready, this says why and what to do:

    kubectl --namespace {{ first (append $namespaces "default") }} describe schain first

{{- if .Values.webhook.enabled }}
{{- $component := dict "root" . "component" "webhook" }}

{{- $url := "" }}
{{- if .Values.webhook.ingress.enabled }}
{{- $url = printf "http%s://%s" (.Values.webhook.ingress.tls.enabled | ternary "s" "") .Values.webhook.ingress.host }}
{{- else if and .Values.webhook.httpRoute.enabled .Values.webhook.httpRoute.hostnames }}
{{- $url = printf "https://%s" (first .Values.webhook.httpRoute.hostnames) }}
{{- end }}

Spacelift's deliveries for the connection {{ $name }} go to
{{- if $url }}

    {{ $url }}/webhooks/spacelift/{{ $name }}

Tell Spacelift so, with the key of an administrator; docs/tasks/connect-webhooks.md has what the command needs:

    stackchain webhook setup --url {{ $url }}{{ if ne $name "default" }} --connection {{ $name }}{{ end }}
{{- else }} the Service {{ include "stackchain.componentName" $component }}, port {{ .Values.webhook.service.port }}, path /webhooks/spacelift/{{ $name }}.
No route leads there from outside of the cluster yet: set webhook.ingress or webhook.httpRoute, or make one of your own.
{{- end }}
{{- end }}
{{- end -}}
