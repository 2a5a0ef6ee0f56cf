#!/usr/bin/env bash
# start-jupyter as dsflow's users know it: all repos, at /data too (issue 8, part 8). A stand-in serves for Jupyter, so that
# none has to be installed; t8300 drives the real one.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/lib-stay.sh"

leat doctor --json >.t/doctor 2>/dev/null
state=$(json .t/doctor '[r["state"] for r in (d if isinstance(d, list) else d["rows"]) if r["what"] == "sandbox"][0]')
[ "$state" = ok ] || skip_all "no sandboxes here"
mkdir bin && cat > bin/jupyter-notebook <<'END'
#!/usr/bin/env python3
import http.server, json, os
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        told = "{}"
        if self.path == "/seen":
            import dsflow
            told = json.dumps({"data": sorted(os.path.join(d, f) for d, _, files in os.walk("/data") for f in files), "specs": os.environ.get("TASK_SPECS"),
                               "folders": sorted(os.listdir(os.path.dirname(os.environ["LEAT_OUTPUT"]))), "sum": dsflow.sql("select sum(n) as n from t")["n"][0] if hasattr(dsflow.sql("from t"), "shape") else dsflow.sql("select sum(n) as n from t")[0]["n"]}, default=str)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(told.encode())
http.server.HTTPServer(("127.0.0.1", int(os.environ["LEAT_PORT"])), Answer).serve_forever()
END
chmod +x bin/jupyter-notebook && PATH=$TRASH/bin:$PATH
workspace w > /dev/null 2>&1 || exit 1
printf 'n\n3\n4\n' > ../t.csv && leat put raw/x-y/t --ds 2024-01-01 ../t.csv > /dev/null && leat put raw/x_y/t ../t.csv > /dev/null && leat put tables/t --ds 2024-01-01 ../t.csv > /dev/null && leat put out ../t.csv > /dev/null || exit 1
cd ..
P=$(port)

test_expect 'start-jupyter shows every repo as it is now, by a folder beside out and below /data, whatever their names are' '
	cd w && leat start-jupyter -d --port $P > url && t_pids+=($(json <(leat services --json) "d[\"pid\"]")) && has url "127.0.0.1:$P" && has jobs/jupyter/job.yaml "layout: dsflow" "raw_x_y_t: {repo: raw/x-y/t" "_raw_x_y_t: {repo: raw/x_y/t" && curl -s http://127.0.0.1:$P/seen > seen &&
	eq "$(json seen "d[\"data\"]")" "[\"/data/out/t.csv\", \"/data/raw/x-y/t/ds=2024-01-01/t.csv\", \"/data/raw/x_y/t/t.csv\", \"/data/tables/t/ds=2024-01-01/t.csv\"]" && eq "$(json seen "[d[\"specs\"], str(d[\"sum\"]), \"tables_t\" in d[\"folders\"]]")" "[null, \"7\", true]"
'
test_expect 'it stays as it was while data come, and shows them when it is started anew; stop-all ends it' '
	cd w && leat put tables/t --ds 2024-01-02 ../t.csv > out && curl -s http://127.0.0.1:$P/seen > seen && lacks seen ds=2024-01-02 && leat stop-all && none_left jupyter && leat start-notebook -d --port $P > url && t_pids+=($(json <(leat services --json) "d[\"pid\"]")) && curl -s http://127.0.0.1:$P/seen > seen && has seen "/data/tables/t/ds=2024-01-02/t.csv" && leat stop-all && none_left jupyter
'
test_expect 'with --in it shows those alone' '
	cd w && leat start-jupyter -d --port $P --in tables/t > url && t_pids+=($(json <(leat services --json) "d[\"pid\"]")) && lacks jobs/jupyter/job.yaml layout raw && curl -s http://127.0.0.1:$P/seen > seen && eq "$(json seen "d[\"data\"]")" "[]" && has seen "\"t\"" && leat stop-all && none_left jupyter
'
test_done
