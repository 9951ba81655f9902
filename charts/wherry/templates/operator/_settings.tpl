{{/* docs/operator-settings.md says what each means. A change of any makes another hash, and the operator restarts. */}}
{{- define "wherry.operatorSettings" -}}
WHERRY_NAMESPACES: {{ join "," .Values.namespaces | quote }}
WHERRY_WORKERS: {{ .Values.operator.workers | quote }}
WHERRY_TRANSFERS: {{ .Values.operator.transfers | quote }}
WHERRY_REGISTRIES: /etc/wherry/registries.yaml
WHERRY_POLICY: {{ ternary "/etc/wherry/policy.yaml" "" (not (empty .Values.policy)) | quote }}
WHERRY_RUNNER_IMAGE: {{ include "wherry.image" (list . "runner") | quote }}
WHERRY_ALWAYS_PULL: {{ and .Values.strictPull (semverCompare "<1.35.0-0" .Capabilities.KubeVersion.Version) | quote }}
WHERRY_WATCH_SECRETS: {{ .Values.operator.watchSecrets | quote }}
WHERRY_LEADER_ELECTION: {{ .Values.operator.leaderElection | quote }}
WHERRY_OPERATOR_NAMESPACE: {{ .Release.Namespace }}
WHERRY_SCRATCH: /var/tmp/wherry
WHERRY_PORT: {{ .Values.operator.port | quote }}
WHERRY_LOG_FORMAT: {{ .Values.operator.log.format }}
WHERRY_LOG_LEVEL: {{ .Values.operator.log.level }}
{{- end }}

{{- define "wherry.operatorDocuments" -}}
registries.yaml: |
  {{- toYaml .Values.registries | nindent 2 }}
{{- with .Values.policy }}
policy.yaml: |
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
