#!/usr/bin/env bash
# Jobs of kind download: what is fetched, what it is called, when it is fetched again.
. "$(dirname "$0")/../lib.sh"
needs python3

job() { # NAME: job.yaml from standard input
	mkdir -p "jobs/$1" && cat >"jobs/$1/job.yaml"
}
requests() { # N: what the log of the server has from line N on
	tail -n "+$1" "$HTTP_LOG"
}

mkdir srv && printf 'a,b\n1,2\n' >srv/data.csv && printf 'other\n' >srv/other.txt && printf 'x' >'srv/a b.csv'
http_server srv --etag
leat init w >/dev/null || exit 1

test_expect 'a file of the web becomes the partition of its ds, named without the query string' '
	cd w
	job trips <<-E
	kind: download
	url: $HTTP_URL/data.csv?day={{ ds }}&x=1
	partition: daily
	output: raw/trips
	E
	leat run trips 2018-02-09
	leat cat raw/trips:/ds=2018-02-09/data.csv >back
	same back ../srv/data.csv
	has $HTTP_LOG "GET /data.csv?day=2018-02-09&x=1 200" "User-Agent=leat/" "Accept-Encoding=identity"
	leat ls raw/trips:/ds=2018-02-09 >ls
	eq "$(cat ls)" /ds=2018-02-09/data.csv
'

test_expect 'a second run asks by ETag, gets 304, and makes no new version' '
	cd w
	leat run trips 2018-02-09
	requests 2 >log
	has log "304 0 If-None-Match="
	count 1 wc -l log
	count 1 leat log raw/trips --json
	leat cat raw/trips:/ds=2018-02-09/data.csv >back && same back ../srv/data.csv
'

test_expect 'what changed at its source replaces the file; the old version stays readable; there is no data.csv.1' '
	cd w
	printf "a,b\n3,4\n" >../srv/data.csv
	leat run trips 2018-02-09
	leat cat raw/trips:/ds=2018-02-09/data.csv >back
	same back ../srv/data.csv
	leat cat raw/trips@master.1:/ds=2018-02-09/data.csv >old
	eq "$(cat old)" "$(printf "a,b\n1,2")"
	count 1 leat ls raw/trips:/ds=2018-02-09
'

test_expect 'why names the URL and when it was fetched' '
	cd w
	leat why trips 2018-02-09 --json >why
	eq "$(json why "d[\"made_by\"][\"facts\"][\"downloads\"][0][\"url\"]")" "$HTTP_URL/data.csv?day=2018-02-09&x=1"
	eq "$(json why "len(d[\"made_by\"][\"facts\"][\"downloads\"][0][\"fetched\"]) > 19")" true
	leat why raw/trips:/ds=2018-02-09/data.csv >why && has why "$HTTP_URL/data.csv?day=2018-02-09"
'

test_expect 'another request for the same partition is not conditional' '
	cd w
	n=$(wc -l <$HTTP_LOG)
	sed -i "s/x=1/x=2/" jobs/trips/job.yaml
	leat run trips 2018-02-09
	requests $((n + 1)) >log
	has log "x=2 200"
	lacks log "If-None-Match"
'

test_expect 'a file that the store has lost is fetched anew, unconditionally' '
	cd w
	sha=$(sha256sum <../srv/data.csv | cut -d" " -f1)
	chmod -R u+w .leat/views
	rm -rf .leat/views/*
	lose_bytes "$sha"
	n=$(wc -l <$HTTP_LOG)
	leat run trips 2018-02-09
	requests $((n + 1)) >log
	has log " 200 "
	lacks log "If-None-Match"
	leat cat raw/trips:/ds=2018-02-09/data.csv >back && same back ../srv/data.csv
'

test_expect 'the name is the last part of the path, percent-decoded; name: says another; a path without name is refused' '
	cd w
	job names <<-E
	kind: download
	url: $HTTP_URL/a%20b.csv
	output: raw/names
	E
	leat run names
	leat cat "raw/names:/a b.csv" >back
	eq "$(cat back)" x
	echo "name: sub/{{ params.n }}.csv" >>jobs/names/job.yaml
	echo "params: {n: seven}" >>jobs/names/job.yaml
	leat run names
	count 1 leat ls raw/names
	leat cat raw/names:/sub/seven.csv >back
	eq "$(cat back)" x
	job noname <<-E
	kind: download
	url: $HTTP_URL/
	E
	exits 1 leat run noname 2>err
	has err "ends in no name for a file" "name: data.csv"
'

test_expect 'several URLs become several files; two of one name are refused' '
	cd w
	job two <<-E
	kind: download
	url: [$HTTP_URL/data.csv, $HTTP_URL/other.txt]
	output: raw/two
	E
	leat run two
	leat ls raw/two >ls
	eq "$(cat ls)" "$(printf "/data.csv\n/other.txt")"
	n=$(wc -l <$HTTP_LOG)
	printf new >../srv/other.txt
	leat run two
	requests $((n + 1)) >log
	has log "GET /data.csv 304" "GET /other.txt 200"
	leat cat raw/two:/other.txt >back
	eq "$(cat back)" new
	job same <<-E
	kind: download
	url: [$HTTP_URL/data.csv?a=1, $HTTP_URL/data.csv?a=2]
	E
	exits 1 leat run same 2>err
	has err "both give data.csv" "jobs/same/job.yaml:2:"
'

test_expect 'a URL without {{ ds }} is told once when more than one ds is asked for' '
	cd w
	job always <<-E
	kind: download
	url: $HTTP_URL/data.csv
	partition: daily
	output: raw/always
	E
	leat run always 2018-01-01..2018-01-03 >out 2>&1
	has out "its url has no {{ ds }} in it"
	eq "$(grep -c "has no {{ ds }}" out)" 1
	leat run always 2018-01-04 >out 2>&1
	lacks out "has no {{ ds }}"
	leat run trips 2018-01-01..2018-01-02 >out 2>&1 && lacks out "has no {{ ds }}"
'

test_expect 'headers are sent; those that leat sets itself, and broken ones, are refused' '
	cd w
	job heads <<-E
	kind: download
	url: $HTTP_URL/data.csv
	headers: {User-Agent: "me {{ params.v }}", Authorization: Bearer abc}
	params: {v: 7}
	output: raw/heads
	E
	leat run heads
	has $HTTP_LOG "User-Agent=me 7" "Authorization=Bearer abc"
	sed -i "s/Authorization: Bearer abc/Range: bytes=1-/" jobs/heads/job.yaml
	exits 2 leat run heads 2>err
	has err "Range is set by leat itself" "jobs/heads/job.yaml:3:"
	rm -r jobs/heads
'

test_expect 'a password in a URL is used, and is in no output and no row' '
	cd w
	job secret <<-E
	kind: download
	url: ${HTTP_URL/:\/\//://joe:hunter2@}/data.csv?{{ ds }}
	partition: daily
	params: {mirror: none}
	output: raw/secret
	E
	leat run secret 2018-02-09 >out 2>&1
	has $HTTP_LOG "Authorization=Basic am9lOmh1bnRlcjI="
	leat why secret 2018-02-09 >>out
	leat logs secret 2018-02-09 >>out
	leat runs >>out
	leat why secret 2018-02-09 --json >>out
	leat why raw/secret:/ds=2018-02-09/data.csv --json >>out
	sed -i "s/data.csv/gone.csv/" jobs/secret/job.yaml
	exits 1 leat run secret 2018-02-10 >>out 2>&1
	exits 1 leat run secret 2018-02-10 --param mirror=http://u:hunter2@x/y >>out 2>&1
	has out "***@"
	lacks out hunter2
	state . >rows
	grep "^row" rows >only
	lacks only hunter2
	rm -r jobs/secret
'

test_expect 'file: URLs are of this machine: absolute, or from the workspace' '
	cd w
	printf "of the machine\n" >local.csv
	job abs <<-E
	kind: download
	url: file://$PWD/local.csv
	output: raw/abs
	E
	job rel <<-E
	kind: download
	url: file:local.csv
	output: raw/rel
	E
	leat run abs
	leat run rel
	leat cat raw/abs:/local.csv >back
	same back local.csv
	leat cat raw/rel:/local.csv >back
	same back local.csv
	sed -i "s/local.csv/none.csv/" jobs/rel/job.yaml
	exits 1 leat run rel 2>err
	has err "none.csv" "jobs/rel/job.yaml:2:"
	sed -i "s/none.csv/jobs/" jobs/rel/job.yaml
	exits 1 leat run rel 2>err && has err "is a folder, not a file"
'

test_expect 'what can never be right is refused with exit 2, its place and a remedy' '
	cd w
	refuse() { # "yaml line" text…
		printf "kind: download\n%s\n" "$1" >jobs/abs/job.yaml && exits 2 leat run abs 2>err && has err "${@:2}"
	}
	refuse "output: raw/abs" "url"
	refuse "url: gopher://x/y" "not gopher" "jobs/abs/job.yaml:2:6"
	refuse "url: some/path.csv" "is no URL" "file:"
	refuse "url: http:///x.csv" "names no host"
	refuse "$(printf "url: http://x/y\nsha256: abc")" "is not 64 hex digits" "jobs/abs/job.yaml:3:"
	refuse "$(printf "url: http://x/y\nmax_size: 10 apples")" "max_size" "500MB"
	refuse "$(printf "url: http://x/y\nunpack: rar")" "unpack"
	refuse "$(printf "url: http://x/y.zip\nunpack: unzip\nname: z")" "does not go with unpack: unzip"
	refuse "$(printf "url: [http://x/y, http://x/z]\nname: z")" "name: has 1 entries, url: has 2"
	refuse "$(printf "url: http://x/y\nulr: z")" "ulr" "did you mean" 
	refuse "url: \"http://x/{{ dss }}\"" "dss"
'
test_done
