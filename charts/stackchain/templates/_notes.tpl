{{/* The part of the notes that is about the connection that people use first. */}}
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

If it is not Ready, this says why and what to do:

    kubectl --namespace {{ $namespace }} describe schain first
{{- else }}

The connection {{ $name }} serves no {{ empty $namespaces | ternary "namespace (allowedNamespaces is empty)" "operation (allowedOperations is empty)" }}, so no StackChain can use it yet.
{{- end }}
{{- end -}}

{{/* Who may make StackChains, which is a choice, and what they can do then. */}}
{{- define "stackchain.notes.people" -}}
{{- $aggregated := include "stackchain.aggregatedRoles" . | fromJsonArray }}
{{- $prefix := include "stackchain.peoplePrefix" . }}
Whoever may create or change StackChains may run what their connection allows (docs/trust.md).
{{- if not (include "stackchain.hasPeopleRoles" .) }}
This release makes no ClusterRoles for people; give them rights to stackchains.stackchain.dev in the namespaces that are theirs.
{{- else }}
{{- if $aggregated }}
Everyone with one of these roles of Kubernetes has the rights of the same name to StackChains, wherever they have it (rbac.aggregatedRoles): {{ join ", " $aggregated }}.
{{- else }}
No role of Kubernetes has rights to StackChains (rbac.aggregatedRoles is empty).
{{- end }}
{{- if not (has "edit" $aggregated) }}
To let a team make them in a namespace of its own:

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

Tell Spacelift so, with the key of an administrator; docs/tasks/connect-webhooks.md has what the command needs:

    stackchain webhook setup --url {{ $host }}{{ if ne $name "default" }} --connection {{ $name }}{{ end }}
{{- else }} the Service {{ include "stackchain.componentName" (dict "root" $ "component" "webhook") }}, port {{ $.Values.webhook.service.port }}, path /webhooks/spacelift/{{ $name }}.
{{- end }}
{{- end }}
{{- end }}
{{- if not $host }}
No route that this chart knows a host of leads there from outside of the cluster: set webhook.ingress or webhook.httpRoute, or make one of your own.
{{- end }}
{{- end -}}

{{/* How to leave: without an operator nobody takes the finalizers of StackChains off. */}}
{{- define "stackchain.notes.uninstall" -}}
Before you uninstall the release, delete the StackChains while its operator is there to stop their runs:
{{ range .Values.watchNamespaces }}
    kubectl --namespace {{ . }} delete schain --all
{{- else }}
    kubectl delete schain --all --all-namespaces
{{- end }}
{{- if .Values.crds.enabled }}

{{ if .Values.crds.keep -}}
The definition and the StackChains stay when the release is uninstalled (crds.keep), for a release that is installed later.
{{- else -}}
Uninstalling the release deletes the definition and all StackChains (crds.keep is false), but they wait for an operator that has gone.
{{- end }}
{{- end }}

A StackChain that is left without an operator cannot be deleted until someone takes its finalizer off; docs/install.md, "Uninstall", has the commands.
{{- end -}}
