#!/usr/bin/env bash
# egress to an object store: what is sent and what is not, in which order, and what becomes of faults. The store is a
# stand-in that can be told to fail (tests/fake/s3d.py); t5442 does the same with a real one.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/lib-s3.sh"

sent() { # METHOD PATTERN: how many such requests the server has answered well since `fresh`
	grep -cE "^$1 [^ ]*$2 20" "$S3_LOG"
}
fresh() {
	: >"$S3_LOG"
}
again() { # the store goes, and another one comes
	local old=$S3_URL
	stop_s3 && s3_server "$@" && { [ ! -e leat.yaml ] || sed -i "s|$old|$S3_URL|" leat.yaml; }
}

test_expect 'objects below the prefix are the files of the newest commit; what went goes, what others put there stays' '
	s3_server && workspace w && connection && s3 make out && objects_follow
'
test_expect 'only what differs is sent, by the list that lies there: also from another workspace, which knows nothing of the first' '
	cd w && fresh && echo 5 >in/a && leat put in in/a && leat run && eq "$(sent PUT "")" 3 && eq "$(sent PUT /a)" 1 && cd .. && workspace other && cp -r ../w/in . && leat put in in && connection &&
	job p "{URL: \"s3://out/some/where\", connection: lake}" && fresh && leat run 2>err && has err ": 0 files" && eq "$(sent PUT "")" 1 && eq "$(sent PUT /_leat_egress)" 1 && holds out some/where in p
'
test_expect 'who looks at the list sees a whole commit, or that somebody writes: first the list says so, then objects come and go, then it is whole' '
	cd w && fresh && echo 6 >in/a && rm in/empty && echo new >in/new && printf "put in in/a in/new\nrm in:/empty\n" | leat batch -f - && leat run && cut -d" " -f1,2 "$S3_LOG" >requests && head -2 requests >begin && tail -1 requests >end &&
	printf "GET /out/some/where/_leat_egress\nPUT /out/some/where/_leat_egress\n" | same - begin && echo "PUT /out/some/where/_leat_egress" | same - end &&
	sed "1,2d;\$d" requests | sort >middle && printf "DELETE /out/some/where/empty\nPUT /out/some/where/a\nPUT /out/some/where/new\n" | same - middle && holds out some/where in p
'
test_expect 'a large file goes in parts, each with its sum, and comes together' '
	cd w && fresh && large_in_parts && eq "$(sent PUT "partNumber=.*")" 3 && rm in/large && leat rm in:/large && leat run && holds out some/where in p
'
test_expect 'many files go over several connections' '
	workspace many && mkdir in && for i in $(seq 300); do echo $i >in/$i; done && leat put in in && connection && job p "{URL: \"s3://out/many\", connection: lake}" && leat run 2>err && has err ": 300 files" && holds out many in p
'
test_expect 'answers of 503 and 500, connections that break and answers that do not come are tried again' '
	again --status PUT "/out/p/a" 503 2 --status GET "/out/p/_leat*" 500 1 --drop PUT "/out/p/b" 2 --stall PUT "/out/p/c" 1 --drop POST "/out/p/large" 1 --status PUT "/out/p/large" 503 1 &&
	workspace bad && connection "timeout: 1s" && s3 make out && mkdir in && echo 1 >in/a && echo 2 >in/b && echo 3 >in/c && head -c 35000000 /dev/zero >in/large && leat put in in && job p "{URL: \"s3://out/p\", connection: lake}" &&
	leat run 2>err && has err ": 4 files" && s3 ls out p/ >ls && has ls "p/large 35000000" && eq "$(grep -c "PUT /out/p/a 503" "$S3_LOG")" 2
'
test_expect 'what fails for good is told, leaves the list at writing, and is mended by the next run; the commit stands all the same' '
	again --status PUT "/out/p/b" 400 1 && workspace once && connection && s3 make out && mkdir in && echo 1 >in/a && echo 2 >in/b && leat put in in && job p "{URL: \"s3://out/p\", connection: lake}" &&
	exits 1 leat run 2>err && has err "could not be pushed to s3://out/p" "/b" "answered 400" "the next '\''leat run'\'' tries again" && eq "$(leat cat p:/b)" 2 && s3 cat out p/_leat_egress >list && eq "$(json list "d[\"state\"]")" writing &&
	s3 ls out p/ >ls && before=$(grep -c "^p/a" ls) && fresh && leat run && holds out p in p && eq "$(sent PUT /a)" $((1 - before)) && eq "$(sent HEAD /a)" $before
'
test_expect 'the unfinished upload of a push that was killed is let go; objects of that push that the next commit has not are deleted' '
	cd once && s3 put out p/x list && s3 begin out p/y && head -c 35000000 /dev/zero >in/y && leat put in in/y && printf "{\"leat\":1,\"state\":\"writing\",\"repo\":\"p\",\"commit\":\"x\",\"files\":[],\"writing\":[{\"path\":\"x\"},{\"path\":\"y\"},{\"path\":\"a\"}]}" >list && s3 put out p/_leat_egress list &&
	leat run && holds out p in p && eq "$(s3 parts out p/y)" 0
'
test_expect 'no bucket, no key, keys that are not known, not right or not enough, another region: a sentence each, status 1, and no secret anywhere' '
	again --region eu-west-3 && workspace words && connection "region: eu-west-3" && echo 1 >a && leat put in a && job p "{URL: \"s3://none/p\", connection: lake}" &&
	exits 1 leat run 2>err && has err "there is no bucket none at $S3_URL" "make it there" && sed -i "s/region: eu-west-3/region: us-east-1/" leat.yaml && exits 1 leat run 2>err && has err "is in the region eu-west-3, not in us-east-1" &&
	sed -i "s/region: us-east-1/region: eu-west-3/" leat.yaml && echo other >secrets/lake/access_key && exits 1 leat run 2>err && has err "the access key other may not GET" && echo wr0ngsecret >secrets/lake/secret_key && exits 1 leat run 2>err && has err "the secret key is not that of the access key other" &&
	lacks err wr0ngsecret && echo who >secrets/lake/access_key && exits 1 leat run 2>err && has err "does not know the access key who" && rm secrets/lake/secret_key && exits 1 leat run 2>err && has err "the secret lake/secret_key is not there" &&
	job p "{URL: \"s3://none/p\"}" && exits 1 env -u AWS_SECRET_ACCESS_KEY "$LEAT_BIN" run 2>err && has err "there is no access key for s3://none/p" && job p "{URL: \"http://leat:leatleatleat@${S3_URL#http://}/none/p\"}" && exits 1 env AWS_REGION=eu-west-3 "$LEAT_BIN" run 2>err &&
	has err "no bucket none" && lacks err leatleatleat && leat runs --json >runs && lacks runs leatleatleat && ! grep -raE --exclude-dir=cache "leatleatleat|wr0ngsecret" .leat
'
test_expect 'a server that is not there, and a certificate that nobody vouches for; ca_file: names who does' '
	cd words && stop_s3 && job p "{URL: \"s3://out/p\", connection: lake}" && printf "leatleatleat" >secrets/lake/secret_key && chmod 600 secrets/lake/secret_key && echo leat >secrets/lake/access_key && exits 1 leat run 2>err && has err "$S3_URL" &&
	certificate tls && s3_server --tls tls/public.crt tls/private.key && S3_URL=https://${S3_URL#http://} && sed -i "/^connections/,\$d" leat.yaml && connection && exits 1 leat run 2>err && has err "the certificate of $S3_URL is not trusted" "ca_file:" &&
	sed -i "s|region: us-east-1|ca_file: tls/ca.crt|" leat.yaml && export LEAT_TEST_CA=$PWD/tls/ca.crt && s3 make out && leat run 2>err && has err "1 file" && eq "$(s3 cat out p/a)" 1
'
test_expect 'an https URL names its server; objectStorage is the same; an unknown connection, no bucket, two jobs in one place, a newer list: refused' '
	cd words && AWS_CA_BUNDLE=$LEAT_TEST_CA && export AWS_CA_BUNDLE && job q "{objectStorage: {url: \"$S3_URL/out/q\"}}" && leat run && eq "$(s3 cat out q/a)" 1 && job q "{URL: \"s3://out/q\", connection: nowhere}" && exits 2 leat run q 2>err && has err "there is no connection nowhere in leat.yaml" "jobs/q/job.yaml:3" &&
	job q "{URL: \"s3://\"}" && exits 2 leat run q 2>err && job q "{URL: \"$S3_URL/\"}" && exits 1 leat run q 2>err && has err "names no bucket" && job q "{URL: \"s3://out/p\", connection: lake}" && exits 1 leat run q 2>err && has err "holds what the repo p was pushed to" && eq "$(s3 cat out p/a)" 1 &&
	echo "{\"leat\":2,\"repo\":\"q\"}" >list && s3 put out q/_leat_egress list && job q "{URL: \"s3://out/q\", connection: lake}" && exits 1 leat run q 2>err && has err "a newer leat" && echo "{" >list && s3 put out q/_leat_egress list && exits 1 leat run q 2>err && has err "cannot be understood" && s3 rm out q/_leat_egress && leat run q
'
test_expect 'of several commits that one command makes the newest is pushed; after a failure too it is the newest that is tried' '
	stop_s3 && s3_server && workspace newest && connection && s3 make out && mkdir in && echo 1 >in/a && leat put in in && job p "{URL: \"s3://out/n\", connection: lake}" && leat run && fresh && for i in 2 3 4; do echo $i >in/a && leat put in in || return 1; done &&
	leat run 2>err && count 4 leat log p --json && eq "$(grep -c "pushed to" err)" 1 && eq "$(sent PUT /a)" 1 && holds out n in p && stop_s3 && echo 5 >in/a && leat put in in && exits 1 leat run 2>err && echo 6 >in/a && leat put in in &&
	again && s3 make out && leat run 2>err && eq "$(grep -c "pushed to" err)" 1 && eq "$(sent PUT /a)" 1 && holds out n in p
'
test_done
