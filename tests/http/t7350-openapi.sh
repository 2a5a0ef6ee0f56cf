#!/usr/bin/env bash
# Issue 7, part 7: the description of the API, and that the API is as it says.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/lib-http.sh"

test_expect 'every operation has a route, but for those of a terminal, and no name stands for two things' '
	workspace w && serve . && get /api/v1/openapi.json && cp body api.json && leat serve --openapi > cli.json && eq "$(json api.json d)" "$(json cli.json d)" &&
	sed -n "s/^OP(\([a-z]*\),.*/\1/p" "$CHECKOUT/src/defs/ops.def" | sort > ops && json api.json "\"\n\".join(sorted(p[8:] for p in d[\"paths\"] if p.startswith(\"/api/v1/\")))" | grep -vxE "events|openapi.json|code|login" > routes &&
	eq "$(diff ops routes | sed -n "s/^[<>] //p" | tr "\n" " ")" "completion mount next serve ui user " &&
	eq "$(json api.json "len([o[\"operationId\"] for p in d[\"paths\"].values() for o in p.values()]) - len({o[\"operationId\"] for p in d[\"paths\"].values() for o in p.values()})")" 0
'

test_expect 'what an operation takes is told with its kind, its words and whether it must be there' '
	cd w && json api.json "[(p[\"name\"], p.get(\"required\", False), p[\"schema\"][\"type\"]) for p in d[\"paths\"][\"/api/v1/log\"][\"get\"][\"parameters\"]][:2]" > told &&
	eq "$(cat told)" "[[\"repo\", true, \"string\"], [\"ds\", false, \"string\"]]" &&
	eq "$(json api.json "d[\"paths\"][\"/api/v1/run\"][\"post\"][\"requestBody\"][\"content\"][\"application/json\"][\"schema\"][\"properties\"][\"again\"][\"type\"]")" boolean &&
	eq "$(json api.json "\"get\" in d[\"paths\"][\"/api/v1/run\"]")" false && lacks api.json "\"watch\"" "\"shell\""
'

test_expect 'what belongs to a terminal is refused, an option or a word' '
	cd w && exits 22 post /api/v1/env "{\"what\": \"shell\", \"name\": \"sales\"}" 2> /dev/null && has head " 400 " && curl -sS -H "$(token)" -H "Content-Type: application/json" -d "{\"what\": \"shell\"}" "$(url_of .)/api/v1/env" > told && has told "env has no '\''shell'\'' here" &&
	curl -sS -H "$(token)" -H "Content-Type: application/json" -d "{\"job\": \"sales\", \"shell\": true}" "$(url_of .)/api/v1/run" > told && has told "run has no '\''shell'\'' here: a shell belongs to a terminal"
'

if python3 -c "import openapi_spec_validator" 2>/dev/null; then
	test_expect 'the document is valid OpenAPI 3.1' '
		cd w && python3 -c "import json, openapi_spec_validator as v; v.validate(json.load(open(\"api.json\")))"
	'
else
	test_skip 'the document is valid OpenAPI 3.1' 'openapi-spec-validator (PyPI) is not installed'
fi

if python3 -c "import schemathesis" 2>/dev/null; then
	test_expect 'schemathesis finds no 5xx and no answer that is not described' '
		cd w && mkdir -p jobs/one && printf "kind: script\npartition: none\noutput: tables/one\n" > jobs/one/job.yaml && printf "echo 1 > \$LEAT_OUTPUT/f\n" > jobs/one/job.sh && leat run one &&
		timeout 300 python3 -m schemathesis.cli run "$(url_of .)/api/v1/openapi.json" -H "$(token)" --phases fuzzing --max-examples 3 --generation-deterministic --request-timeout 60 \
			--checks not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance \
			--exclude-path-regex "/events|/init|/playground|/wait|/test" > "$TRASH/found" 2>&1 || { tail -n 60 "$TRASH/found"; return 1; }
	'
else
	test_skip 'schemathesis finds no 5xx and no answer that is not described' 'schemathesis (PyPI) is not installed'
fi

test_done
