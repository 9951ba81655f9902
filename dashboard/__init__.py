"""The dashboard for Grafana, as a small source: `python -m dashboard` writes charts/wherry/dashboards/wherry.json.

| module | question |
|---|---|
| `promql` | how is a question to Prometheus written? |
| `rows` | what is asked, under which titles? |
| `grafana` | what does Grafana want to read? |
"""
