{{- define "sau.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 53 | trimSuffix "-" }}
{{- else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 53 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- /* Of what is no namespace's: releases of two namespaces must not share it. */ -}}
{{- define "sau.everywhere" -}}
{{ printf "%s-%s" .Release.Namespace (include "sau.name" .) }}
{{- end }}

{{- define "sau.account" -}}
{{ .Values.serviceAccount.name | default (ternary (include "sau.name" .) "default" .Values.serviceAccount.create) }}
{{- end }}

{{- define "sau.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "sau.labels" -}}
{{ include "sau.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "sau.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- /* Where it looks, as JSON; empty: everywhere. */ -}}
{{- define "sau.namespaces" -}}
{{- if .Values.clusterWide }}[]{{ else }}{{ .Values.namespaces | default (list .Release.Namespace) | toJson }}{{ end }}
{{- end }}

{{- /* The configuration: what is given, and the cluster as the switches have it. */ -}}
{{- define "sau.config" -}}
{{- $config := deepCopy .Values.config -}}
{{- if .Values.watch -}}
{{- $_ := set $config "detection" (merge (dict "watch" true) ($config.detection | default dict)) -}}
{{- end -}}
{{- $inventory := $config.inventory | default dict -}}
{{- if not (hasKey $inventory "kubernetes") -}}
{{- $cluster := dict "name" .Values.clusterName "helm" .Values.helmReleases.enabled -}}
{{- with include "sau.namespaces" . | fromJsonArray }}{{ $_ := set $cluster "namespaces" . }}{{ end -}}
{{- with .Values.pullSecrets }}{{ $_ := set $cluster "pull_secrets" . }}{{ end -}}
{{- $_ := set $config "inventory" (set $inventory "kubernetes" (list $cluster)) -}}
{{- end -}}
{{ toYaml $config }}
{{- end }}
