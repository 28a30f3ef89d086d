{{- /* The same rules as deploy/kubernetes has. */ -}}
{{- define "sau.rules.workloads" -}}
- {apiGroups: [apps], resources: [deployments, statefulsets, daemonsets], verbs: [get, list, patch]}
- {apiGroups: [batch], resources: [cronjobs], verbs: [get, list, patch]}
- {apiGroups: [""], resources: [pods], verbs: [list, delete]}
- {apiGroups: [""], resources: [pods/log], verbs: [get]}
- {apiGroups: [batch], resources: [jobs], verbs: [list, delete]}
- {apiGroups: [""], resources: [events], verbs: [create, list]}
{{- if .Values.clusterWide }}
- {apiGroups: [""], resources: [nodes], verbs: [list]}
{{- end }}
{{- with .Values.extraRules }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "sau.rules.helm" -}}
- apiGroups: [""]
  resources: [configmaps, secrets, services, serviceaccounts, persistentvolumeclaims]
  verbs: [get, list, create, update, patch, delete]
- apiGroups: [apps]
  resources: [deployments, statefulsets, daemonsets]
  verbs: [get, list, create, update, patch, delete]
- apiGroups: [batch]
  resources: [jobs, cronjobs]
  verbs: [get, list, watch, create, update, patch, delete]
- apiGroups: [networking.k8s.io]
  resources: [ingresses, networkpolicies]
  verbs: [get, list, create, update, patch, delete]
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [get, list, create, update, patch, delete]
- apiGroups: [autoscaling]
  resources: [horizontalpodautoscalers]
  verbs: [get, list, create, update, patch, delete]
- {apiGroups: [""], resources: [pods], verbs: [get, list, watch]}
- {apiGroups: [apps], resources: [replicasets], verbs: [get, list]}
{{- with .Values.helmReleases.extraRules }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "sau.rules.watch" -}}
- {apiGroups: [apps], resources: [deployments, statefulsets, daemonsets], verbs: [watch]}
- {apiGroups: [batch], resources: [cronjobs], verbs: [watch]}
{{- if .Values.helmReleases.enabled }}
- {apiGroups: [""], resources: [secrets, configmaps], verbs: [watch]}
{{- end }}
{{- end }}

{{- define "sau.rules.pull-secrets" -}}
- {apiGroups: [""], resources: [secrets, serviceaccounts], verbs: [get]}
{{- end }}

{{- define "sau.rules.lease" -}}
- {apiGroups: [coordination.k8s.io], resources: [leases], verbs: [create]}
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  resourceNames: [{{ include "sau.name" . }}]
  verbs: [get, patch]
{{- end }}

{{- /* A role and its binding: root, what for, its rules, and a namespace or none. */ -}}
{{- define "sau.role" -}}
{{- $kind := ternary "Role" "ClusterRole" (ne .namespace "") -}}
{{- $base := ternary (include "sau.name" .root) (include "sau.everywhere" .root) (ne .namespace "") -}}
{{- $name := ternary $base (printf "%s-%s" $base .suffix) (eq .suffix "") -}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $kind }}
metadata:
  name: {{ $name }}
  {{- with .namespace }}
  namespace: {{ . }}
  {{- end }}
  labels: {{- include "sau.labels" .root | nindent 4 }}
rules: {{- .rules | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $kind }}Binding
metadata:
  name: {{ $name }}
  {{- with .namespace }}
  namespace: {{ . }}
  {{- end }}
  labels: {{- include "sau.labels" .root | nindent 4 }}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: {{ $kind }}, name: {{ $name }}}
subjects:
  - {kind: ServiceAccount, name: {{ include "sau.account" .root }}, namespace: {{ .root.Release.Namespace }}}
{{ end }}
