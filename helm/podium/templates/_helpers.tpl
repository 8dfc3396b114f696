{{- define "podium.environmentsDomain" -}}
{{ .Values.environmentsDomain | default .Values.baseDomain }}
{{- end }}

{{- define "podium.publicUrl" -}}
{{ .Values.publicUrl | default (printf "https://%s" .Values.baseDomain) }}
{{- end }}

{{- /* The host by which the hub knows itself: probes have to name it. */ -}}
{{- define "podium.host" -}}
{{ include "podium.publicUrl" . | trimPrefix "https://" | trimPrefix "http://" }}
{{- end }}

{{- define "podium.secret" -}}
{{ .Values.existingSecret | default (printf "%s-secrets" .Release.Name) }}
{{- end }}

{{- /* Its name holds for the whole cluster, where two releases may be. */ -}}
{{- define "podium.clusterRole" -}}
{{ .Release.Namespace }}-{{ .Release.Name }}-clusters
{{- end }}

{{- define "podium.labels" -}}
app.kubernetes.io/name: podium
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- /* Of one part: hub or nginx. */ -}}
{{- define "podium.selector" -}}
app.kubernetes.io/name: podium
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .part }}
{{- end }}

{{- /* What both the hub and the filling in of NGINX's configuration are told. */ -}}
{{- define "podium.settings" -}}
- name: PODIUM_BASE_DOMAIN
  value: {{ .Values.baseDomain | quote }}
- name: PODIUM_ENVIRONMENTS_DOMAIN
  value: {{ include "podium.environmentsDomain" . | quote }}
- name: PODIUM_PUBLIC_URL
  value: {{ include "podium.publicUrl" . | quote }}
- name: PODIUM_SPAWNER
  value: kubernetes
- name: PODIUM_PROXY_CREDENTIAL
  valueFrom:
    secretKeyRef:
      name: {{ include "podium.secret" . }}
      key: proxy-credential
{{- range $name, $value := .Values.hub.settings }}
- name: PODIUM_{{ $name }}
  value: {{ $value | toString | quote }}
{{- end }}
{{- end }}

{{- define "podium.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{- /* A pod that does nothing and ends at once. `account`: whether it may speak to the API server. */ -}}
{{- define "podium.idle" -}}
automountServiceAccountToken: {{ .account | default false }}
enableServiceLinks: false
terminationGracePeriodSeconds: 0
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with .of.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .of.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 1000
  runAsGroup: 1000
  seccompProfile:
    type: RuntimeDefault
{{- end }}

{{- /* A pod that has a node pull the images of environments, and keeps them there as long as it stays. */ -}}
{{- define "podium.pulling" -}}
{{ include "podium.idle" (dict "root" . "of" .Values.prePull) }}
{{- with .Values.prePull.images }}
initContainers:
  {{- range $number, $image := . }}
  - name: image-{{ $number }}
    image: {{ $image }}
    imagePullPolicy: IfNotPresent
    command: [sh, -c, "true"]
    resources:
      {{- include "podium.next-to-nothing" $ | nindent 6 }}
    securityContext:
      {{- include "podium.containerSecurity" $ | nindent 6 }}
  {{- end }}
{{- end }}
containers:
  - name: environment
    image: {{ .Values.images.environment }}
    imagePullPolicy: IfNotPresent
    command: [sleep, infinity]
    resources:
      {{- include "podium.next-to-nothing" . | nindent 6 }}
    securityContext:
      {{- include "podium.containerSecurity" . | nindent 6 }}
{{- end }}

{{- /* Of what is there only while Helm waits for it, in the order of the weight. */ -}}
{{- define "podium.first" -}}
helm.sh/hook: pre-install,pre-upgrade
helm.sh/hook-weight: {{ . | quote }}
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end }}

{{- define "podium.next-to-nothing" -}}
requests:
  cpu: 1m
  memory: 8Mi
limits:
  memory: 32Mi
{{- end }}
