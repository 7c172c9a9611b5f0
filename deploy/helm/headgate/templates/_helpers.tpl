{{- define "headgate.name" -}}
{{- printf "%s-headgate" .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- end -}}

{{- define "headgate.selector" -}}
app.kubernetes.io/name: headgate
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "headgate.labels" -}}
{{ include "headgate.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "headgate.secret" -}}
{{- .Values.secrets.existingSecret | default (include "headgate.name" .) -}}
{{- end -}}

{{- define "headgate.checked" -}}
{{- $several := or .Values.autoscaling.enabled (gt (int .Values.replicaCount) 1) -}}
{{- with .Values.secrets -}}
{{- if not .existingSecret -}}
{{- if not .masterKey -}}
{{- fail "secrets.masterKey: `headgate keys new-master` prints one; or name a Secret of yours in secrets.existingSecret." -}}
{{- end -}}
{{- if and $several (not (and .databaseUrl .redisUrl)) -}}
{{- fail "secrets.databaseUrl and secrets.redisUrl: several pods share them. For one pod with SQLite set replicaCount=1." -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
