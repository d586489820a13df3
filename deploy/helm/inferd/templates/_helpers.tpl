{{- define "inferd.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 63 | trimSuffix "-" }}{{ else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 63 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "inferd.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "inferd.labels" -}}
{{ include "inferd.selector" . }}
{{ include "inferd.versionLabels" . }}
{{- end }}

{{- define "inferd.versionLabels" -}}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{/* Not the name of the servers, whose service and budget must not find workers. */}}
{{- define "inferd.workerName" -}}
{{ include "inferd.name" . | trunc 56 | trimSuffix "-" }}-worker
{{- end }}

{{- define "inferd.workerSelector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}-worker
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "inferd.workerLabels" -}}
{{ include "inferd.workerSelector" . }}
{{ include "inferd.versionLabels" . }}
{{- end }}

{{- define "inferd.scheme" -}}
{{ if .Values.tls.existingSecret }}HTTPS{{ else }}HTTP{{ end }}
{{- end }}

{{/* Seconds from SIGTERM to SIGKILL: the pause, what is in flight, both in milliseconds, and ten more to end. */}}
{{- define "inferd.graceSeconds" -}}
{{ add (div (add (int (first .)) (int (last .)) 999) 1000) 10 }}
{{- end }}

{{- define "inferd.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* A value as people wrote it: numbers arrive as floating-point ones, and 67108864 would be printed as 6.7108864e+07. */}}
{{- define "inferd.text" -}}
{{- if and (kindIs "float64" .) (eq . (floor .)) }}{{ printf "%.0f" . }}{{ else }}{{ toString . }}{{ end }}
{{- end }}
