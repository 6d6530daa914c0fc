{{/* Environment of all roles. Numbers are quoted by way of `toString`, or 1048576 becomes 1.048576e+06. */}}
{{- define "stackchain.env.common" -}}
- name: STACKCHAIN_NAMESPACE
  valueFrom: {fieldRef: {fieldPath: metadata.namespace}}
- name: STACKCHAIN_POD_NAME
  valueFrom: {fieldRef: {fieldPath: metadata.name}}
{{- with .Values.installation.id }}
- {name: STACKCHAIN_INSTALLATION, value: {{ quote . }}}
{{- end }}
- {name: LOG_LEVEL, value: {{ quote .Values.logging.level }}}
- {name: LOG_FORMAT, value: {{ quote .Values.logging.format }}}
- {name: HEALTH_ADDRESS, value: "0.0.0.0:8080"}
{{- end -}}

{{/* How Temporal is reached. */}}
{{- define "stackchain.env.temporal" -}}
{{- $tls := .Values.temporal.tls -}}
- {name: TEMPORAL_ADDRESS, value: {{ include "stackchain.temporalAddress" . | quote }}}
- {name: TEMPORAL_NAMESPACE, value: {{ quote .Values.temporal.namespace }}}
- {name: TEMPORAL_TASK_QUEUE, value: {{ include "stackchain.taskQueue" . | quote }}}
{{- with .Values.temporal.uiUrl }}
- {name: TEMPORAL_UI_URL, value: {{ quote . }}}
{{- end }}
{{- if include "stackchain.temporalTls" . }}
- {name: TEMPORAL_TLS, value: "true"}
{{- end }}
{{- with $tls.serverName }}
- {name: TEMPORAL_TLS_SERVER_NAME, value: {{ quote . }}}
{{- end }}
{{- with include "stackchain.temporalApiKeySecret" . }}
- {name: TEMPORAL_API_KEY_FILE, value: {{ printf "/etc/stackchain/temporal/api-key/%s/%s" . (include "stackchain.temporalApiKeyKey" $) | quote }}}
{{- end }}
{{- with .Values.temporal.payloadKeys }}
{{- if .existingSecret }}
- {name: TEMPORAL_PAYLOAD_KEYS_FILE, value: {{ printf "/etc/stackchain/temporal/payload-keys/%s/%s" .existingSecret .key | quote }}}
{{- end }}
{{- end }}
{{- if or $tls.ca.existingSecret $tls.ca.existingConfigMap $tls.ca.value }}
- {name: TEMPORAL_TLS_SERVER_CA_CERT_PATH, value: {{ printf "/etc/stackchain/temporal/ca/%s" $tls.ca.key | quote }}}
{{- end }}
{{- with include "stackchain.temporalClientSecret" . }}
- {name: TEMPORAL_TLS_CLIENT_CERT_PATH, value: {{ printf "/etc/stackchain/temporal/client/%s/%s" . $tls.client.certificateKey | quote }}}
- {name: TEMPORAL_TLS_CLIENT_KEY_PATH, value: {{ printf "/etc/stackchain/temporal/client/%s/%s" . $tls.client.privateKeyKey | quote }}}
{{- end }}
{{- end -}}

{{- define "stackchain.env.signing" -}}
- {name: STACKCHAIN_SIGNING_KEYS_FILE, value: {{ printf "/etc/stackchain/signing/%s/%s" (include "stackchain.signingSecret" .) .Values.signing.key | quote }}}
{{- end -}}

{{- define "stackchain.temporalApiKeyKey" -}}
{{- .Values.temporal.apiKey.key -}}
{{- end -}}

{{/* Which accounts there are and how requests reach them. */}}
{{- define "stackchain.env.spacelift" -}}
- {name: SPACELIFT_CONNECTIONS_FILE, value: /etc/stackchain/connections/connections.yaml}
{{- if .Values.spacelift.allowHTTP }}
- {name: SPACELIFT_ALLOW_HTTP, value: "true"}
{{- end }}
{{- end -}}

{{- define "stackchain.env.spaceliftRequests" -}}
- {name: SPACELIFT_REQUEST_TIMEOUT_SECONDS, value: {{ .Values.spacelift.requestTimeoutSeconds | toString | quote }}}
{{- if or .Values.spacelift.ca.existingSecret .Values.spacelift.ca.existingConfigMap .Values.spacelift.ca.value }}
- {name: SPACELIFT_API_TLS_CA, value: {{ printf "/etc/stackchain/spacelift-ca/%s" .Values.spacelift.ca.key | quote }}}
{{- end }}
{{- end -}}

{{- define "stackchain.env.notifications" -}}
{{- if .Values.notifications.sinks -}}
- {name: NOTIFICATIONS_FILE, value: /etc/stackchain/notifications/notifications.yaml}
{{- end -}}
{{- end -}}
