#!/usr/bin/env bash
# Jobs of kind python whose units come from the data, and their tries, shells and limits.
. "$(dirname "$0")/../lib.sh"
needs python3

job() { # NAME KEYS: reads job.py from standard input
	mkdir -p "jobs/$1" && printf '%b' "kind: python\n$2" >"jobs/$1/job.yaml" && cat >"jobs/$1/job.py"
}

test_expect 'a unit for each file of a glob: it has its file only, and what it returns is a file of its own' '
	workspace w && printf "n\n1\n2\n" > a.csv && printf "n\n5\n" > b.csv && leat put shots a.csv b.csv &&
	job sum "inputs: {shots: {repo: shots, glob: \"/*\"}}\noutput: sums\n" <<-"END" &&
	def run(inputs, shots: list):
	    files = [f.name for f in sorted(inputs["shots"].iterdir())]
	    assert len(files) == 1, files
	    return {files[0].split(".")[0]: [{"file": files[0], "sum": sum(r["n"] for r in shots)}]}
	END
	leat run && eq "$(leat sql "select file, sum from sums order by file" --format csv | tr "\n" " ")" "file,sum a.csv,3 b.csv,5 " &&
	printf "n\n7\n" > c.csv && leat put shots c.csv && leat run && eq "$(leat sql "select sum(sum) as s, count(*) as n from sums" --format csv | tail -1)" "15,3"
'
test_expect 'a try that fails is made again, and the reason is that of the last one' '
	cd w && job again "partition: daily\nretries: 2\nretry_delay: 10ms\noutput: raw/again\n" <<-"END" &&
	import os
	def run(output):
	    n = int(os.environ["LEAT_ATTEMPT"])
	    if n < 3:
	        raise RuntimeError("try %d" % n)
	    (output / "n").write_text(str(n))
	END
	leat run again 2018-01-01 && eq "$(leat cat raw/again:/ds=2018-01-01/n)" 3 && sed -i "s/n < 3/n < 9/" jobs/again/job.py &&
	exits 1 leat run again 2018-01-01 2> out && has out "jobs/again/job.py:5: RuntimeError: try 3"
'
test_expect 'a task that writes nonsense about its failure is told by its exit status' '
	cd w && job odd "output: raw/odd\n" <<-"END" &&
	import os
	def run():
	    open(".leat-failed.json", "w").write("{\"message\": \"a\\nb\\u001b[31m\", \"file\": \"../../etc/passwd\", \"line\": -3}" if os.environ.get("WHAT") else "[1")
	    os._exit(5)
	END
	exits 1 leat run odd 2> out && has out "exit status 5" && printf "kind: python\noutput: raw/odd\nenv: {WHAT: 1}\n" > jobs/odd/job.yaml &&
	exits 1 leat run odd 2> out && exits 1 grep -q "passwd" out && exits 1 grep -q "$(printf "\033")" out
'
test_expect 'a job with its Python file missing is told so' '
	cd w && mkdir -p jobs/none && printf "kind: python\noutput: raw/none\n" > jobs/none/job.yaml && exits 1 leat run none 2> out && cat out &&
	has out "the job none has no Python file"
'
test_done
