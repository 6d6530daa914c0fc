{{/* The pod template of a role: what all roles have in common, hardened as Pod Security `restricted` asks.
     Takes (dict "root" . "component" "worker" "arguments" (list "worker") "env" "..." "mounts" "..."
     "ports" "..." "hasToken" false "graceSeconds" 45 "checksums" (dict ...)). */}}
{{- define "stackchain.podTemplate" -}}
{{- $values := index .root.Values .component -}}
metadata:
  labels:
    {{- mergeOverwrite (include "stackchain.labels" . | fromYaml) ($values.podLabels | default dict) | toYaml | nindent 4 }}
  {{- with mergeOverwrite (dict) (.checksums | default dict) ($values.podAnnotations | default dict) }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  {{- include "stackchain.podSpec" . | nindent 2 }}
{{- end -}}

{{/* The pod spec of a role; see `stackchain.podTemplate`. */}}
{{- define "stackchain.podSpec" -}}
{{- $values := index .root.Values .component -}}
{{- $mounts := .mounts | fromYamlArray -}}
serviceAccountName: {{ include "stackchain.serviceAccountName" . }}
automountServiceAccountToken: {{ .hasToken | default false }}
# Variables of Services would look like settings: TEMPORAL_PORT=tcp://...
enableServiceLinks: false
terminationGracePeriodSeconds: {{ .graceSeconds }}
securityContext:
  {{- include "stackchain.podSecurityContext" .root | nindent 2 }}
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
{{- range . }}
- name: {{ . }}
{{- end }}
{{- end }}
{{- with $values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.tolerations }}
tolerations:
{{- toYaml . | nindent 0 }}
{{- end }}
{{- with $values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.topologySpreadConstraints }}
topologySpreadConstraints:
{{- $selector := dict "matchLabels" (include "stackchain.selectorLabels" $ | fromYaml) }}
{{- range . }}
- {{- toYaml (hasKey . "labelSelector" | ternary . (merge (dict "labelSelector" $selector) .)) | nindent 2 }}
{{- end }}
{{- end }}
{{- with $values.extraInitContainers }}
initContainers:
{{- toYaml . | nindent 0 }}
{{- end }}
containers:
- name: {{ .component }}
  image: {{ include "stackchain.image" (dict "root" .root "image" .root.Values.image) }}
  imagePullPolicy: {{ .root.Values.image.pullPolicy }}
  args: {{ toJson .arguments }}
  securityContext:
    {{- include "stackchain.containerSecurityContext" . | nindent 4 }}
  # The last line of a process that cannot work says why, and becomes part of the pod's status.
  terminationMessagePolicy: FallbackToLogsOnError
  env:
  {{- .env | nindent 2 }}
  {{- with $values.extraEnv }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
  {{- with $values.extraEnvFrom }}
  envFrom:
  {{- toYaml . | nindent 2 }}
  {{- end }}
  ports:
  - {name: http, containerPort: 8080, protocol: TCP}
  {{- with .ports }}
  {{- . | nindent 2 }}
  {{- end }}
  startupProbe:
    httpGet: {path: /healthz, port: http}
    {{- toYaml $values.startupProbe | nindent 4 }}
  livenessProbe:
    httpGet: {path: /healthz, port: http}
    {{- toYaml $values.livenessProbe | nindent 4 }}
  readinessProbe:
    httpGet: {path: /readyz, port: http}
    {{- toYaml $values.readinessProbe | nindent 4 }}
  {{- with $values.resources }}
  resources:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  volumeMounts:
  {{- range $mounts }}
  - {{- toYaml .mount | nindent 4 }}
  {{- end }}
  {{- with $values.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with $values.extraContainers }}
{{- toYaml . | nindent 0 }}
{{- end }}
volumes:
{{- range $mounts }}
- {{- toYaml .volume | nindent 2 }}
{{- end }}
{{- with $values.extraVolumes }}
{{- toYaml . | nindent 0 }}
{{- end }}
{{- end -}}

{{- define "stackchain.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
# The group may read mounted Secrets, others may not.
fsGroup: 65532
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "stackchain.containerSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}

{{/* Hashes of what a role reads, so that a change of it rolls the pods.
     Takes (dict "root" . "component" "worker"). */}}
{{- define "stackchain.checksums" -}}
{{- $values := .root.Values -}}
checksum/connections: {{ include "stackchain.connectionsFile" .root | sha256sum }}
checksum/temporal: {{ toJson (dict "tls" $values.temporal.tls "apiKey" $values.temporal.apiKey) | sha256sum }}
{{- if eq .component "worker" }}
checksum/spacelift-ca: {{ toJson $values.spacelift.ca | sha256sum }}
{{- end }}
{{- if and $values.notifications.sinks (ne .component "webhook") }}
checksum/notifications: {{ toJson $values.notifications.sinks | sha256sum }}
{{- end }}
{{- end -}}
