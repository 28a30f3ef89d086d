{{- /* What the service and the test of the release share. */ -}}
{{- define "sau.pod.security" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "sau.container.security" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{- define "sau.env" -}}
- {name: SAFE_AUTO_UPDATER_CONFIG, value: /etc/safe-auto-updater/sau.yml}
- {name: SAFE_AUTO_UPDATER_STATE, value: /var/lib/safe-auto-updater/state}
- {name: HOME, value: /tmp}
{{- end }}

{{- define "sau.mounts" -}}
- {name: config, mountPath: /etc/safe-auto-updater, readOnly: true}
- {name: state, mountPath: /var/lib/safe-auto-updater}
- {name: tmp, mountPath: /tmp}
{{- range $number, $one := .Values.secrets }}
- {name: secret-{{ $number }}, mountPath: {{ $one.mountPath }}, readOnly: true}
{{- end }}
{{- end }}

{{- define "sau.volumes" -}}
- {name: config, configMap: {name: {{ include "sau.name" . }}}}
- {name: tmp, emptyDir: {sizeLimit: 256Mi}}
{{- range $number, $one := .Values.secrets }}
- {name: secret-{{ $number }}, secret: {secretName: {{ $one.name }}, defaultMode: 288}}
{{- end }}
{{- end }}
