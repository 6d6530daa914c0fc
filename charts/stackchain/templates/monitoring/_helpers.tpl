{{/* What ServiceMonitor and PodMonitor have in common: one endpoint, its labels made alike.
     Takes (dict "root" . "monitor" .Values.metrics.podMonitor). */}}
{{- define "stackchain.metricsEndpoint" -}}
- port: http
  path: /metrics
  interval: {{ .monitor.interval }}
  {{- with .monitor.scrapeTimeout }}
  scrapeTimeout: {{ . }}
  {{- end }}
  relabelings:
  # The same job and role, whichever monitor it is.
  - {targetLabel: job, replacement: {{ include "stackchain.fullname" .root }}}
  - {sourceLabels: [__meta_kubernetes_pod_label_app_kubernetes_io_component], targetLabel: component}
  {{- with .monitor.relabelings }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
  {{- with .monitor.metricRelabelings }}
  metricRelabelings:
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{/* Pods that have metrics, by their labels. */}}
{{- define "stackchain.metricsSelector" -}}
matchLabels:
  app.kubernetes.io/name: {{ include "stackchain.name" . }}
  app.kubernetes.io/instance: {{ .Release.Name }}
matchExpressions:
- {key: app.kubernetes.io/component, operator: In, values: [operator, worker, webhook]}
{{- end -}}
