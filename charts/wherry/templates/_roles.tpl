{{/* A ClusterRole and a Role in the release's namespace, from files, for a service account. (list ROOT NAME FILES ANNOTATIONS) */}}
{{- define "wherry.roles" -}}
{{- $root := index . 0 }}
{{- $name := index . 1 }}
{{- $files := index . 2 }}
{{- $meta := dict "labels" (include "wherry.labels" $root | fromYaml) }}
{{- with index . 3 }}{{ $_ := set $meta "annotations" . }}{{ end }}
{{- $subject := dict "kind" "ServiceAccount" "name" $name "namespace" $root.Release.Namespace }}
{{- $group := "rbac.authorization.k8s.io" }}
{{- range $kind := list "ClusterRole" "Role" }}
{{- $home := eq $kind "Role" }}
{{- $own := merge (dict "name" (ternary (print $name "-home") $name $home)) $meta }}
{{- if $home }}{{ $_ := set $own "namespace" $root.Release.Namespace }}{{ end }}
{{- $file := printf "files/%s-%s.yaml" $files (ternary "namespace-rules" "rules" $home) }}
---
{{ dict "apiVersion" (print $group "/v1") "kind" $kind "metadata" $own "rules" ($root.Files.Get $file | fromYamlArray) | toYaml }}
---
{{ dict "apiVersion" (print $group "/v1") "kind" (print $kind "Binding") "metadata" $own "subjects" (list $subject)
  "roleRef" (dict "apiGroup" $group "kind" $kind "name" $own.name) | toYaml }}
{{- end }}
{{- end }}
