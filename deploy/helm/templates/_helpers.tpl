{{- define "waystation.labels" -}}
app.kubernetes.io/name: waystation
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .name }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{- end }}

{{- define "waystation.selector" -}}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .name }}
{{- end }}

{{- define "waystation.secret" -}}
{{ .Values.existingSecret | default (printf "%s-secrets" .Release.Name) }}
{{- end }}

{{- /* What every pod has. `root`, `name`, `uid` */}}
{{- define "waystation.pod" -}}
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.nodeSelector }}
nodeSelector: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.tolerations }}
tolerations: {{ toYaml . | nindent 2 }}
{{- end }}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: {{ .uid }}
  runAsGroup: {{ .uid }}
  fsGroup: {{ .uid }}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{ include "waystation.selector" . | nindent 8 }}
{{- end }}

{{- define "waystation.confined" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{- define "waystation.resources" -}}
requests: {cpu: {{ .cpu }}, memory: {{ .memory }}}
limits: {memory: {{ .memory }}}
{{- end }}

{{- /* The files of one reader, at /run/secrets. `root`, `reader` */}}
{{- define "waystation.secretVolume" -}}
secret:
  secretName: {{ include "waystation.secret" .root }}
  defaultMode: 0440
  items:
    {{- range (index (include "waystation.readers" .root | fromYaml) .reader) }}
    - {key: {{ $.reader }}.{{ . }}, path: {{ . }}}
    {{- end }}
    {{- if .root.Values.external.ca }}
    - {key: ca.pem, path: ca.pem}
    {{- end }}
{{- end }}

{{- define "waystation.readers" -}}
{{- $shared := list "gateway_token" "database_url" "valkey_url" "broker_url" }}
{{- $s3 := list "s3_endpoint" "s3_region" "s3_bucket" "s3_access_key" "s3_secret_key" }}
auth: {{ concat $shared (list "service_secrets" "admin_password") | toJson }}
auth-worker: ["database_url", "broker_url", "service_secret"]
upload: {{ concat $shared (list "service_secret" "mirror_key") $s3 | toJson }}
share: {{ concat $shared (list "service_secret" "download_key_secret") | toJson }}
chat: {{ concat $shared (list "service_secret") | toJson }}
gateway: ["gateway_token"]
beat: ["broker_url"]
migrate: ["admin_database_url", "auth_database_url", "upload_database_url", "share_database_url", "chat_database_url"]
postgres: ["password"]
valkey: ["valkey.conf", "password"]
store: ["root_user", "root_password"]
{{- end }}

{{- /* The environment of a reader of secrets. `root`, `reader` */}}
{{- define "waystation.environment" -}}
{{- range (index (include "waystation.readers" .root | fromYaml) .reader) }}
{{- if ne $.reader "migrate" }}
- {name: {{ upper . }}_FILE, value: /run/secrets/{{ . }}}
{{- else if eq . "admin_database_url" }}
- {name: ADMIN_DATABASE_URL_FILE, value: /run/secrets/admin_database_url}
{{- end }}
{{- end }}
{{- $peers := dict "auth" (list "share") "auth-worker" (list "auth" "share" "upload" "chat") "upload" (list "auth" "share" "chat") "share" (list "auth" "upload" "chat") "chat" (list "auth" "share") }}
{{- range (index $peers .reader) }}
- {name: {{ upper . }}_URL, value: "http://{{ . }}:8000"}
{{- end }}
{{- if and (hasKey $peers .reader) (ne .reader "auth") }}
- {name: PEER_RESTART_SECONDS, value: "15"}
{{- end }}
{{- if eq .reader "upload" }}
- {name: STORE, value: s3}
{{- end }}
{{- if eq .reader "share" }}
- {name: PAGE_DOCUMENT, value: ""}
{{- end }}
{{- if and .root.Values.publicUrl (ne .reader "migrate") }}
- {name: PUBLIC_URL, value: {{ .root.Values.publicUrl | quote }}}
{{- end }}
{{- range $name, $value := .root.Values.settings }}
- {name: {{ $name }}, value: {{ $value | quote }}}
{{- end }}
{{- end }}
