#!/usr/bin/env bash
# The likeliest mistakes of somebody new, and what they are told.
. "$(dirname "$0")/../lib.sh"

workspace w > /dev/null 2>&1 || exit 1
printf 'id,n\n1,2\n' > sales.csv
leat put raw/sales sales.csv > /dev/null
leat put raw/days --ds 2024-01-01 sales.csv > /dev/null
echo 'select count(*) as c from raw.sales' > jobs/count.sql
printf -- '-- partition: daily\n-- output: tables/daily\nselect sum(n)::int as n from raw.days\n' > jobs/daily.sql
cd ..

told() { # 'sentence' STATUS 'text' words…
	STATUS=$2 TEXT=$3 WORDS=("${@:4}")
	test_expect "$1" 'cd w && exits "$STATUS" leat "${WORDS[@]}" > ../out 2>&1 && has ../out "$TEXT"'
}
told 'the file before the repo' 1 'leat put raw/other sales.csv' put sales.csv raw/other
told 'a path with / where : belongs' 1 'did you mean raw/sales:/sales.csv?' cat raw/sales/sales.csv
told 'a zone where a repo belongs lists what is in it' 0 'raw/sales' ls raw
told 'a table name where a repo belongs' 1 'did you mean raw/sales?' ls raw.sales
told 'a repo name where a table belongs' 2 'is the table raw.' sql 'select * from raw/sales'
told 'a misspelt keyword' 2 'query:1:' sql 'selct 1'
told 'the file of a job where its name belongs' 2 'did you mean "count"?' run jobs/count.sql
told 'two jobs for one run' 2 'one job is asked for at a time' run count daily
told 'a ds for a job that has none' 2 'takes no ds' run count 2024-01-01
told 'a ds as the folder is called' 0 '1 ran' run daily ds=2024-01-01
told 'a ds as the folder is called, for data' 0 '/ds=2024-01-01/sales.csv' ls raw/days --ds ds=2024-01-01
told 'a date written another way' 2 'write a day as 2017-11-27' run daily 01/02/2024
told 'why of a job with days, without one' 2 'which ds' why daily
told 'a URL to put where nobody answers' 1 'leat new download' put raw/x https://localhost/a.csv
told 'a folder to cat' 2 'leat get' cat raw/sales
told 'rm of a repo' 2 'rm --repo' rm raw/sales
told 'a job that writes where a job writes' 2 'alone writes' put tables/daily sales.csv
told 'backfill without an end' 2 '--from' backfill daily --from 2024-01-01

test_expect 'run, runs, jobs and ls of an empty workspace say what comes next' '
	workspace e && leat run > ../out 2>&1 && has ../out "leat new" && leat runs > ../out 2>&1 && has ../out "nothing has run" && leat jobs > ../out 2>&1 && has ../out "leat new" && leat ls > ../out 2>&1 && has ../out "leat put" && leat status > ../out && has ../out "nothing wants attention"
'
test_expect 'a script without the x bit and without #! runs, as bash would run it' '
	cd w && printf "echo hi > \$LEAT_OUTPUT/f\n" > jobs/bare.sh && leat run bare && eq "$(leat cat bare:/f)" hi
'
test_done
