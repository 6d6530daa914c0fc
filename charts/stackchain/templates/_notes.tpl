{{/* The part of the notes about the connection that people use first. */}}
{{- define "stackchain.notes.firstChain" -}}
{{- $names := keys .Values.spacelift.connections | sortAlpha }}
{{- $name := has "default" $names | ternary "default" (first $names) }}
{{- $connection := index .Values.spacelift.connections $name }}
{{- $namespaces := $connection.allowedNamespaces | default list }}
{{- if has "*" $namespaces }}
{{- $namespaces = .Values.watchNamespaces | default (list "default") }}
{{- end }}
{{- $operations := kindIs "slice" $connection.allowedOperations | ternary $connection.allowedOperations (list "Apply" "Plan") }}
{{- if and $namespaces $operations }}
{{- $namespace := first $namespaces }}

Then create a first chain, of a stack that you name and everything that depends on it{{ if has "Plan" $operations }}. It only plans{{ end }}:

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

If it is not Ready, this says why and what to do:

    kubectl --namespace {{ $namespace }} describe schain first
{{- else }}

The connection {{ $name }} serves no {{ empty $namespaces | ternary "namespace (allowedNamespaces is empty)" "operation (allowedOperations is empty)" }}, so no StackChain can use it yet.
{{- end }}
{{- end -}}

{{/* Who may create StackChains, which is a choice, and what they can do then. */}}
{{- define "stackchain.notes.people" -}}
{{- $aggregated := include "stackchain.aggregatedRoles" . | fromJsonArray }}
{{- $prefix := include "stackchain.peoplePrefix" . }}
Anyone who may create or change StackChains may run what their connection allows (docs/trust.md).
{{- if not (include "stackchain.hasPeopleRoles" .) }}
This release creates no ClusterRoles for people; give them rights to stackchains.stackchain.dev in their namespaces.
{{- else }}
{{- if $aggregated }}
Everyone with one of these Kubernetes roles has the same rights to StackChains, wherever they have the role (rbac.aggregatedRoles): {{ join ", " $aggregated }}.
{{- else }}
None of Kubernetes' own roles has rights to StackChains (rbac.aggregatedRoles is empty).
{{- end }}
{{- if not (has "edit" $aggregated) }}
To let a team create StackChains in its own namespace:

    kubectl --namespace TEAM create rolebinding stackchain-edit --clusterrole {{ $prefix }}-edit --group TEAM
{{- end }}
{{- end }}
{{- range $name, $connection := .Values.spacelift.connections }}
{{- if and (has "*" ($connection.allowedNamespaces | default list)) (not $.Values.watchNamespaces) }}
The connection {{ $name }} serves all namespaces (allowedNamespaces).
{{- end }}
{{- end }}
{{- end -}}

{{/* Where Spacelift's deliveries go, for each connection that has a secret for them. */}}
{{- define "stackchain.notes.deliveries" -}}
{{- $host := "" }}
{{- with .Values.webhook }}
{{- if .ingress.enabled }}
{{- $host = printf "http%s://%s" (ternary "s" "" .ingress.tls.enabled) .ingress.host }}
{{- else if and .httpRoute.enabled .httpRoute.hostnames }}
{{- $host = printf "https://%s" (first .httpRoute.hostnames) }}
{{- end }}
{{- end }}
{{- range $name, $connection := .Values.spacelift.connections }}
{{- if $connection.webhookSecret }}

Spacelift's deliveries for the connection {{ $name }} go to
{{- if $host }}

    {{ $host }}/webhooks/spacelift/{{ $name }}

Set up the webhook in Spacelift with an administrator's key; docs/tasks/connect-webhooks.md says what the command needs:

    stackchain webhook setup --url {{ $host }}{{ if ne $name "default" }} --connection {{ $name }}{{ end }}
{{- else }} the Service {{ include "stackchain.componentName" (dict "root" $ "component" "webhook") }}, port {{ $.Values.webhook.service.port }}, path /webhooks/spacelift/{{ $name }}.
{{- end }}
{{- end }}
{{- end }}
{{- if not $host }}
The chart knows of no host that leads there from outside the cluster: set webhook.ingress or webhook.httpRoute, or create your own route.
{{- end }}
{{- end -}}

{{/* How to uninstall: without an operator, the finalizers of StackChains are not removed. */}}
{{- define "stackchain.notes.uninstall" -}}
Before you uninstall the release, delete the StackChains, while its operator can still stop their runs:
{{ range .Values.watchNamespaces }}
    kubectl --namespace {{ . }} delete schain --all
{{- else }}
    kubectl delete schain --all --all-namespaces
{{- end }}
{{- if .Values.crds.enabled }}

{{ if .Values.crds.keep -}}
The definition and the StackChains remain when the release is uninstalled (crds.keep), for a release that is installed later.
{{- else -}}
Uninstalling the release deletes the definition and all StackChains (crds.keep is false), but without an operator their deletion never completes.
{{- end }}
{{- end }}

A StackChain without an operator cannot be deleted until someone removes its finalizer; docs/install.md, "Uninstall", has the commands.
{{- end -}}
