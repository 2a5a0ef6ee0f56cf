#!/usr/bin/env bash
# egress to a real object store, MinIO, started here; t5441 says more, with a stand-in that can be told to fail.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/lib-s3.sh"
needs_minio

test_expect 'objects below the prefix are the files of the newest commit; what went goes, what others put there stays' '
	minio_server && workspace w && connection && s3 make out && objects_follow
'
test_expect 'a large file goes in parts and comes together; the unfinished upload of a push that was killed is let go' '
	cd w && large_in_parts && s3 begin out some/where/large && eq "$(s3 parts out some/where/large)" 1 && printf "{\"leat\":1,\"state\":\"writing\",\"repo\":\"p\",\"commit\":\"x\",\"files\":[],\"writing\":[{\"path\":\"large\"}]}" >list && s3 put out some/where/_leat_egress list &&
	head -c 35000000 /dev/urandom >in/large && leat put in in/large && leat run && holds out some/where in p && eq "$(s3 parts out some/where/large)" 0
'
test_expect 'killed while it pushes, at three moments, and again: the same content' '
	cd w && rm in/large && leat rm in:/large && mkdir in/many || return 1
	for i in 2 4 6; do
		for k in $(seq 200); do echo $i $k >in/many/$k; done
		leat put in in && { "$LEAT_BIN" run 9>&- & } && sleep 0.$i && kill -9 $! 2>/dev/null || :
		wait $! 2>/dev/null || :
	done
	leat run && holds out some/where in p && leat fsck
'
test_expect 'no bucket, keys that are not known or not right: a sentence each, and no secret' '
	cd w && job q "{URL: \"s3://none/p\", connection: lake}" && exits 1 leat run q 2>err && has err "there is no bucket none at $S3_URL" && echo wr0ngsecret >secrets/lake/secret_key && exits 1 leat run q 2>err && has err "the secret key is not that of the access key leat" && lacks err wr0ngsecret &&
	echo who >secrets/lake/access_key && exits 1 leat run q 2>err && has err "does not know the access key who" && rm -r jobs/q
'
test_expect 'over TLS: a certificate that nobody vouches for is refused, ca_file: names who does' '
	stop_s3 && certificate minio/certs && minio_server && workspace tls && connection && mkdir in && echo 1 >in/a && leat put in in && job p "{URL: \"s3://out/tls\", connection: lake}" &&
	exits 1 leat run 2>err && has err "the certificate of $S3_URL is not trusted" && sed -i "s|region: us-east-1|ca_file: $TRASH/minio/certs/ca.crt|" leat.yaml && export LEAT_TEST_CA=$TRASH/minio/certs/ca.crt && leat run && holds out tls in p
'
test_done
