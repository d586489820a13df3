{{/* The pods of servers and of workers. Takes root, and role: server or worker. */}}
{{- define "inferd.pod" -}}
{{- $isWorker := eq .role "worker" }}
{{- with .root }}
{{- $labels := $isWorker | ternary "inferd.workerLabels" "inferd.labels" }}
{{- $selector := $isWorker | ternary "inferd.workerSelector" "inferd.selector" }}
{{- $resources := $isWorker | ternary .Values.worker.resources .Values.resources }}
{{- $hasGrpc := and .Values.grpc.enabled (not $isWorker) }}
{{- /* Nobody sends requests to a worker: it stops at once. */}}
{{- $drainDelayMs := $isWorker | ternary 0 .Values.shutdown.drainDelayMs }}
{{- $concurrency := $isWorker | ternary .Values.worker.concurrency .Values.tasks.concurrency }}
{{- $env := dict }}
{{- /* merge would take a 0 for nothing. */}}
{{- range $settings := list .Values.env ($isWorker | ternary .Values.worker.env dict) }}
{{- range $name, $value := $settings }}{{ $_ := set $env $name $value }}{{ end }}
{{- end }}
{{- if not (kindIs "invalid" $concurrency) }}{{ $_ := set $env "TASK_CONCURRENCY" $concurrency }}{{ end -}}
metadata:
  labels:
    {{- include $labels . | nindent 4 }}
    {{- with .Values.podLabels }}{{ toYaml . | nindent 4 }}{{ end }}
  {{- with .Values.podAnnotations }}
  annotations: {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  serviceAccountName: {{ include "inferd.name" . }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ include "inferd.graceSeconds" (list $drainDelayMs .Values.shutdown.timeoutMs) }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 1000
    runAsGroup: 1000
    fsGroup: 1000
    fsGroupChangePolicy: OnRootMismatch
    seccompProfile: { type: RuntimeDefault }
  {{- with .Values.imagePullSecrets }}
  imagePullSecrets: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- if .Values.models.image }}
  initContainers:
    - name: models
      image: {{ .Values.models.image | quote }}
      command: [cp, -R, /models/., /copy/]
      securityContext: {{- include "inferd.containerSecurity" . | nindent 8 }}
      resources:
        requests: { cpu: 100m, memory: 64Mi }
        limits: { memory: 256Mi }
      volumeMounts:
        - { name: models, mountPath: /copy }
  {{- end }}
  containers:
    - name: inferd
      image: "{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      {{- if $isWorker }}
      args: [worker]
      {{- end }}
      securityContext: {{- include "inferd.containerSecurity" . | nindent 8 }}
      env:
        - { name: PORT, value: "8080" }
        - { name: LOG_LEVEL, value: {{ .Values.logLevel | quote }} }
        - { name: REQUEST_TIMEOUT_MS, value: {{ .Values.requestTimeoutMs | int | quote }} }
        - { name: DRAIN_DELAY_MS, value: {{ $drainDelayMs | int | quote }} }
        - { name: SHUTDOWN_TIMEOUT_MS, value: {{ .Values.shutdown.timeoutMs | int | quote }} }
        - { name: DATA_DIR, value: /data }
        - { name: MODELS_CACHE_DIR, value: /data/model-cache }
        {{- if $hasGrpc }}
        - { name: GRPC_PORT, value: {{ .Values.grpc.port | int | quote }} }
        {{- end }}
        {{- if or .Values.models.existingClaim .Values.models.image }}
        - { name: MODELS_DIR, value: /mnt/models }
        {{- end }}
        {{- with .Values.models.uri }}
        - { name: MODELS_URI, value: {{ . | quote }} }
        {{- end }}
        {{- if .Values.models.watch }}
        - { name: WATCH_MODELS, value: "1" }
        {{- end }}
        {{- with .Values.models.defaultModel }}
        - { name: DEFAULT_MODEL, value: {{ . | quote }} }
        {{- end }}
        {{- if .Values.apiKeys.existingSecret }}
        - { name: API_KEYS_FILE, value: "/etc/inferd/keys/{{ .Values.apiKeys.file }}" }
        {{- end }}
        {{- if .Values.database.existingSecret }}
        - name: DATABASE_URL
          valueFrom:
            secretKeyRef: { name: {{ .Values.database.existingSecret }}, key: {{ .Values.database.key }} }
        {{- else }}
        - { name: STORAGE, value: "off" }
        {{- end }}
        {{- if .Values.tls.existingSecret }}
        - { name: TLS_CERT, value: /etc/inferd/tls/tls.crt }
        - { name: TLS_KEY, value: /etc/inferd/tls/tls.key }
        {{- end }}
        {{- range $name, $value := $env }}
        - { name: {{ $name }}, value: {{ include "inferd.text" $value | quote }} }
        {{- end }}
      {{- if or .Values.envFrom .Values.models.awsSecret }}
      envFrom:
        {{- with .Values.models.awsSecret }}
        - secretRef: { name: {{ . }} }
        {{- end }}
        {{- with .Values.envFrom }}{{ toYaml . | nindent 8 }}{{ end }}
      {{- end }}
      ports:
        - { name: http, containerPort: 8080, protocol: TCP }
        {{- if $hasGrpc }}
        - { name: grpc, containerPort: {{ .Values.grpc.port | int }}, protocol: TCP }
        {{- end }}
      startupProbe:
        httpGet: { path: /health/live, port: http, scheme: {{ include "inferd.scheme" . }} }
        {{- toYaml .Values.probes.startup | nindent 8 }}
      livenessProbe:
        httpGet: { path: /health/live, port: http, scheme: {{ include "inferd.scheme" . }} }
        {{- toYaml .Values.probes.liveness | nindent 8 }}
      readinessProbe:
        httpGet: { path: /health/ready, port: http, scheme: {{ include "inferd.scheme" . }} }
        {{- toYaml .Values.probes.readiness | nindent 8 }}
      resources: {{- toYaml $resources | nindent 8 }}
      volumeMounts:
        - { name: tmp, mountPath: /tmp }
        - { name: shm, mountPath: /dev/shm }
        - { name: data, mountPath: /data }
        {{- if .Values.models.existingClaim }}
        - name: models
          mountPath: /mnt/models
          readOnly: true
          {{- with .Values.models.subPath }}
          subPath: {{ . }}
          {{- end }}
        {{- else if .Values.models.image }}
        - { name: models, mountPath: /mnt/models, readOnly: true }
        {{- end }}
        {{- if .Values.apiKeys.existingSecret }}
        - { name: keys, mountPath: /etc/inferd/keys, readOnly: true }
        {{- end }}
        {{- if .Values.tls.existingSecret }}
        - { name: tls, mountPath: /etc/inferd/tls, readOnly: true }
        {{- end }}
  volumes:
    - name: tmp
      emptyDir: { sizeLimit: 1Gi }
    - name: shm
      emptyDir: { medium: Memory, sizeLimit: {{ .Values.sharedMemory }} }
    - name: data
      emptyDir: { sizeLimit: {{ .Values.models.cacheSize }} }
    {{- if .Values.models.existingClaim }}
    - name: models
      persistentVolumeClaim: { claimName: {{ .Values.models.existingClaim }}, readOnly: true }
    {{- else if .Values.models.image }}
    - name: models
      emptyDir: { sizeLimit: {{ .Values.models.cacheSize }} }
    {{- end }}
    {{- if .Values.apiKeys.existingSecret }}
    - name: keys
      secret: { secretName: {{ .Values.apiKeys.existingSecret }}, defaultMode: 0440 }
    {{- end }}
    {{- if .Values.tls.existingSecret }}
    - name: tls
      secret: { secretName: {{ .Values.tls.existingSecret }}, defaultMode: 0440 }
    {{- end }}
  topologySpreadConstraints:
    - maxSkew: 1
      topologyKey: kubernetes.io/hostname
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels: {{- include $selector . | nindent 10 }}
  {{- with .Values.nodeSelector }}
  nodeSelector: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.tolerations }}
  tolerations: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.affinity }}
  affinity: {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
{{- end }}
