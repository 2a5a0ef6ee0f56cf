#!/usr/bin/env bash
# The tutorial, as somebody types it: its command blocks are run in order, its SQL blocks become the files they name.
. "$(dirname "$0")/../lib.sh"

mkdir -p bin tmp && ln -s "$LEAT_BIN" bin/leat && export PATH=$TRASH/bin:$PATH

test_expect 'every command of the tutorial works' '
	mkdir web && http_server web --etag --last-modified && unset -f leat && python3 - "$CHECKOUT/docs/tutorial.md" "$HTTP_URL" "$TRASH/web" > steps.sh <<P &&
import re, shlex, sys
page, url, web = sys.argv[1:]
text = open(page, encoding="utf-8").read()
print("set -e")
for before, kind, body in re.findall(r"([^\n]*)\n\n?\`\`\`(\w*)\n(.*?)\`\`\`", text, re.S):
    name = re.search(r"\`(jobs/[^\`]+)\`", before)
    if kind:
        print("cat > %s <<\"END_OF_FILE\"\n%sEND_OF_FILE" % (name.group(1), body))
        continue
    for line in body.strip().split("\n"):
        if "http.server" in line:
            continue
        line = line.replace("mkdir /tmp/web && ", "").replace("/tmp/web", web).replace("http://127.0.0.1:8765", url)
        print("echo %s\n%s" % (shlex.quote("$ " + line), line))
P
	test "$(grep -c "^leat" steps.sh)" -ge 10 && bash steps.sh > typed 2>&1 || { tail -20 typed; false; }
'
test_expect 'and what it says holds: the plan is empty at the end, the file is where it says, its hash is its id' '
	cd speeds && has ../typed "nothing to run" && f=datastore/tables/speeds/ds=2018-02-09/part-0.parquet && test -f $f && "$LEAT_BIN" why tables/speeds:/ds=2018-02-09/part-0.parquet > why && has why "$(sha256sum < $f | cut -d" " -f1)" cars.csv
'
test_done
