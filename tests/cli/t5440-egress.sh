#!/usr/bin/env bash
# egress: what a job published is pushed to a folder, or to tables of DuckDB and SQLite files, and tried again when that failed.
. "$(dirname "$0")/../lib.sh"
needs sqlite3

job() { # NAME: the rest of its job.yaml from standard input
	mkdir -p "jobs/$1" && cat >"jobs/$1/job.yaml"
}
copy() { # NAME EGRESS: a job that copies the repo in
	printf 'inputs: [{repo: in, glob: "/"}]\ncmd: [sh, -c, "cp -r $LEAT_INPUT_in/. $LEAT_OUTPUT"]\negress: %s\n' "$2" | job "$1"
}
duck() { # FILE QUERY: rows of a DuckDB file, as CSV
	leat sql --format csv "commit; attach '$1' as there (read_only); begin transaction; select * from query('$2')" 2>"$TRASH/.t/duck" || { cat "$TRASH/.t/duck"; return 1; }
}

test_expect 'a folder holds the files of the newest commit; what went there goes, what others put there stays' '
	workspace w && mkdir -p in/d && echo 1 >in/a && echo 2 >in/d/b && head -c 100000 /dev/zero >in/big && leat put in in && copy p "{URL: ../out}" &&
	leat run 2>err && has err "pushed to ../out: 3 files" && diff -r in ../out && echo mine >../out/mine && stat -c %i ../out/big >inode &&
	echo 3 >in/a && rm -r in/d && echo 4 >in/d && leat batch -f - <<X && leat put in in/d && leat run 2>err && has err "pushed to ../out: 2 files" && rm ../out/mine && diff -r in ../out && eq "$(stat -c %i ../out/big)" "$(cat inode)" &&
put in in/a
rm in:/d/b
X
	leat run 2>err && lacks err pushed && leat put in in/a --run 2>err
'

test_expect 'a failed push is told, does not undo the publication, and is tried again by the next run' '
	cd w && rm -rf ../out && echo file >../out && echo 5 >in/a && leat put in in/a && exits 1 leat run 2>err && has err "could not be pushed to ../out" && eq "$(leat cat p:/a)" 5 &&
	exits 1 leat run 2>err && has err "could not be pushed" && rm ../out && leat run 2>err && has err "pushed to ../out: 3 files" && diff -r in ../out && leat run 2>err && lacks err pushed
'

test_expect 'what a push that failed half way had brought or changed goes with the next one, though that one looks like the last good one' '
	workspace h && mkdir in && echo 1 >in/a && echo 1 >in/z && leat put in in && copy p "{URL: ../half}" && leat run && rm ../half/z && mkdir ../half/z && touch ../half/z/in-the-way && echo 2 >in/a && echo new >in/b && echo 2 >in/z && leat put in in && exits 1 leat run 2>err && has err "could not be pushed" &&
	eq "$(cat ../half/a ../half/b | tr "\n" " ")" "2 new " && rm -r ../half/z && echo 1 >../half/z && echo 1 >in/a && rm in/b && echo 1 >in/z && printf "put in in/a in/z\nrm in:/b\n" | leat batch -f - && leat run 2>err && has err "pushed to ../half" && diff -r in ../half
'

test_expect 'put --run and wait push too, file:// is a folder, a Pachyderm spec brings its egress' '
	cd w && printf "{\"pipeline\": {\"name\": \"s\"}, \"input\": {\"pfs\": {\"repo\": \"in\", \"glob\": \"/a\"}}, \"transform\": {\"cmd\": [\"sh\"], \"stdin\": [\"cp \$in \$LEAT_OUTPUT\"]}, \"egress\": {\"URL\": \"file://$TRASH/far/away\"}}" >s.json &&
	leat apply -f s.json && echo 6 >in/a && leat put in in/a --run 2>err && eq "$(cat ../far/away/a)" 6 && eq "$(cat ../out/a)" 6 && has jobs/s/job.yaml "URL:"
'

test_expect 'tables of a DuckDB file: the first folder is the table, all are replaced at once, kinds of columns stay' '
	workspace t && mkdir -p in/sales in/shops/x && printf "day,n\n2020-01-01,1\n2020-01-02,2\n" >in/sales/1.csv && printf "n,day\n3,2020-01-03\n" >in/sales/2.csv && printf "[{\"name\": \"a\"}, {\"name\": \"b\"}]" >in/shops/x/1.json &&
	leat put in in && copy p "{sqlDatabase: {url: \"duckdb://../x.duckdb\"}}" && leat run 2>err && has err "pushed to duckdb://../x.duckdb: 2 tables" &&
	eq "$(duck $TRASH/x.duckdb "select sum(n), max(day), typeof(any_value(day)) from there.sales" | tail -1)" "6,2020-01-03,DATE" && eq "$(duck $TRASH/x.duckdb "select count(*) from there.shops" | tail -1)" 2 &&
	printf "day,n\n2021-01-01,10\n" >in/sales/1.csv && leat put in:/sales/1.csv in/sales/1.csv && leat rm in:/shops/x/1.json && leat run 2>err &&
	eq "$(duck $TRASH/x.duckdb "select sum(n) from there.sales" | tail -1)" 13 && eq "$(duck $TRASH/x.duckdb "select count(*) from there.shops" | tail -1)" 0
'

test_expect 'one table that cannot be read leaves all of them as they were' '
	cd t && printf "day,n\n2022-01-01,100\n" >s && printf "[{\"name\": \"a\"}, {\"name\":" >bad && leat batch -f - <<X && exits 1 leat run 2>err && has err "could not be pushed" && eq "$(duck $TRASH/x.duckdb "select sum(n) from there.sales" | tail -1)" 13 &&
put in:/sales/1.csv s
put in:/shops/x/1.json bad
X
	printf "[{\"name\": \"c\"}]" >bad && leat put in:/shops/x/1.json bad && leat run && eq "$(duck $TRASH/x.duckdb "select sum(n) from there.sales" | tail -1)" 103 && eq "$(duck $TRASH/x.duckdb "select name from there.shops" | tail -1)" c
'

test_expect 'tables of an SQLite file, also one that was made with rules of its own' '
	cd t && sed -i "s|duckdb://../x.duckdb|sqlite:///$TRASH/x.db|" jobs/p/job.yaml && sqlite3 ../x.db "create table sales(n integer primary key, day text not null default \"x\"); insert into sales values(99, \"old\")" &&
	leat run 2>err && has err "x.db: 2 tables" && eq "$(sqlite3 ../x.db "select sum(n), typeof(n), max(day) from sales")" "103|integer|2022-01-01" && eq "$(sqlite3 ../x.db "select * from shops")" c &&
	printf "day,n\n2022-01-01,100\n2022-01-02,100\n" >s && leat put in:/sales/1.csv s && exits 1 leat run 2>err && has err "UNIQUE" && eq "$(sqlite3 ../x.db "select sum(n) from sales")" 103
'

test_expect 'fileFormat: the kind of file, and columns by name or in order; numbers, texts and nulls as they are' '
	workspace f && mkdir -p in/t && printf "b,a,c\n1,x,\n2.5,\"y,z\",true\n" >in/t/1 && leat put in in && copy p "{sqlDatabase: {url: \"sqlite://../f.db\", fileFormat: {type: CSV, columns: [a, b]}}}" && leat run &&
	eq "$(sqlite3 ../f.db "select a, b, typeof(b) from t order by b" | tr "\n" " ")" "x|1.0|real y,z|2.5|real " && printf "7,8\n,9\n" >in/t/1 && leat put in in && leat run &&
	eq "$(sqlite3 ../f.db "select ifnull(a, \"null\"), b from t order by b" | tr "\n" " ")" "7|8.0 null|9.0 "
'

test_expect 'what cannot be meant is told: a file in no folder, an unknown place, other columns; a password is never shown' '
	cd f && echo x >in/top.csv && leat put in in/top.csv && exits 1 leat run 2>err && has err "/top.csv lies in no folder" && leat rm in:/top.csv && rm in/top.csv && leat run &&
	copy q "{URL: \"s9://bucket/x\"}" && exits 2 leat run q 2>err && has err "nothing here can push there" "jobs/q/job.yaml:3" && copy q "{sqlDatabase: {url: \"postgres://me:s3cret@host/db\"}}" && exits 2 leat run q 2>err && has err "postgres://me@host/db" && lacks err s3cret &&
	copy q "{URL: /x, sqlDatabase: {url: \"sqlite:///x\"}}" && exits 2 leat run q 2>err && has err "one of URL" && copy q "{URL: \"duckdb:///x\"}" && exits 2 leat run q 2>err && has err sqlDatabase && rm -r jobs/q &&
	printf "a,b,q\n1,2,3\n" >in/t/1 && sed -i "s/, fileFormat.*CSV, columns: .a, b.}/, fileFormat: {type: CSV}/" jobs/p/job.yaml && leat put in in && exits 1 leat run 2>err && has err "other columns than the files" "drop it there"
'
test_done
