#!/usr/bin/env bash
# SEMANTICS 11: a task with a root of its own: what it sees, what it can write to, and that nothing is left of it.
. "$(dirname "$0")/../lib.sh"

leat doctor --json >.t/doctor 2>/dev/null
state=$(json .t/doctor '[r["state"] for r in (d if isinstance(d, list) else d["rows"]) if r["what"] == "sandbox"][0]')
[ "$state" = ok ] || skip_all "no sandboxes here"

job() { # NAME OUTPUT [more lines of job.yaml]: reads job.sh from standard input
	mkdir -p "jobs/$1" && printf 'kind: script\npartition: daily\nsandbox: on\noutput: %s\n%s\n' "$2" "${3:-}" >"jobs/$1/job.yaml" && cat >"jobs/$1/job.sh"
}
mounts() { # what is mounted, but for what others mount meanwhile
	grep -c "$TRASH\| /pfs\| /leat" /proc/self/mountinfo || true
}

test_expect 'SEMANTICS 11: a task finds its inputs at /pfs/NAME, its output at /pfs/out, its code in its folder' '
	workspace w && mkdir in && echo "day one" >in/x.txt && leat put raw/a --ds 2018-01-01 in &&
	job see raw/see "inputs: {days: raw/a}" <<\X &&
ls /pfs >/pfs/out/pfs; ls -A . >here; mv here /pfs/out/; pwd >/pfs/out/pwd
cat /pfs/days/x.txt >/pfs/out/x.txt
cat "$LEAT_INPUT_days/x.txt" >"$LEAT_OUTPUT/y.txt"
env | grep -E "^(HOME|LEAT_(INPUT_days|OUTPUT|SPEC))=" | sort >/pfs/out/env
cp "$LEAT_SPEC" /pfs/out/spec.json; ls -A /tmp "$HOME" | wc -w >/pfs/out/n
id -u >/pfs/out/id
X
	leat run see 2018-01-01 && leat get raw/see:/ds=2018-01-01 -o got -r && cd got &&
	eq "$(cat pfs | tr "\n" " ")" "days out " && eq "$(cat pwd)" /leat/work && eq "$(cat x.txt y.txt | uniq -c | tr -d " ")" "2dayone" &&
	eq "$(tr "\n" " " <env)" "HOME=/leat/home LEAT_INPUT_days=/pfs/days LEAT_OUTPUT=/pfs/out LEAT_SPEC=/leat/spec.json " &&
	eq "$(json spec.json "d[\"output\"]")" raw/see && eq "$(cat here | tr "\n" " ")" "here job.sh " && eq "$(cat id)" "$(id -u)" &&
	has n 2
'

test_expect 'SEMANTICS 11: a write outside of /pfs/out, /tmp and its home fails, also for root, and inputs stay as they are' '
	cd w &&
	job write raw/write "inputs: {days: raw/a}" <<\X &&
for f in /x /pfs/x /pfs/days/x /pfs/days/x.txt /usr/x /etc/x /var/tmp/x "$LEAT_SPEC" '"$TRASH"'/x '"$TRASH"'/w/leat.yaml; do
	(echo no >>"$f") 2>/dev/null && echo "$f"
done >/pfs/out/could
mount -o remount,rw,bind /pfs/days 2>/dev/null && echo mount >>/pfs/out/could
rm -rf /pfs/days/x.txt 2>/dev/null; mkdir /pfs/new 2>/dev/null && echo mkdir >>/pfs/out/could
for d in /tmp "$HOME" /dev/shm .; do echo 1 >"$d/mine" && cat "$d/mine"; done >/pfs/out/can
exit 0
X
	before=$(cat leat.yaml) && leat run write 2018-01-01 &&
	eq "$(leat cat raw/write:/ds=2018-01-01/could)" "" && eq "$(leat cat raw/write:/ds=2018-01-01/can | wc -l)" 4 &&
	eq "$(leat cat raw/a:/ds=2018-01-01/x.txt)" "day one" && eq "$(cat leat.yaml)" "$before" &&
	! [ -e "$TRASH/x" ] && ! [ -e /tmp/mine ] && ! [ -e "$HOME/mine" ] && ! [ -e /dev/shm/mine ] && leat fsck
'

test_expect 'SEMANTICS 11: the store and datastore/ are not visible, by any way round' '
	cd w && ln -sfn "$TRASH/w" ../alias &&
	job look raw/look "inputs: {days: raw/a}" <<\X &&
ls -A '"$TRASH"'/w/.leat '"$TRASH"'/alias/.leat '"$TRASH"'/w/datastore | grep -v : >/pfs/out/store
ls '"$TRASH"'/w >/pfs/out/rest
ls /proc/1/root/'"$TRASH"'/w/.leat >>/pfs/out/store 2>/dev/null
up=$(sed -n "s/^PPid:.//p" /proc/$PPID/status)
for p in $PPID $up; do ls -A "/proc/$p/root/'"$TRASH"'/w/.leat" "/proc/$p/cwd/.leat" | grep -v : >>/pfs/out/store; done 2>/dev/null
exit 0
X
	leat run look 2018-01-01 && eq "$(leat cat raw/look:/ds=2018-01-01/store | tr -d "\n")" "" &&
	case $TRASH in
	/tmp/*) eq "$(leat cat raw/look:/ds=2018-01-01/rest)" "" ;; # all of /tmp is the own one of the task
	*) leat cat raw/look:/ds=2018-01-01/rest | has - jobs leat.yaml datastore ;;
	esac
'

test_expect 'the next unit finds nothing of what the last one left in /tmp, its home and its folder' '
	cd w &&
	job left raw/left <<\X &&
ls -A /tmp "$HOME" /dev/shm . >/pfs/out/before; touch /tmp/a "$HOME/b" /dev/shm/c d
X
	leat run left 2018-01-01..2018-01-03 -j 1 &&
	for d in 1 2 3; do leat cat raw/left:/ds=2018-01-0$d/before >before; eq "$(grep -cxE "a|b|c|d" before)" 0 || return 1; done
'

test_expect 'what a unit leaves behind in its output that cannot be kept is a failure with a sentence' '
	cd w &&
	job odd raw/odd "params: {what: link}" <<\X &&
case $(sed "s/.*\"what\":\"\([a-z]*\)\".*/\1/" "$LEAT_SPEC") in
link) ln -s /etc/passwd /pfs/out/away ;;
hole) truncate -s 1T /pfs/out/huge ;;
socket) python3 -c "import socket, os; os.chdir(\"/pfs/out\"); socket.socket(socket.AF_UNIX).bind(\"sock\")" ;;
pipe) mkfifo /pfs/out/pipe ;;
device) mknod /pfs/out/dev c 1 3 || exit 7 ;;
gone) rm -rf /pfs/out; mv /pfs/out /tmp/out; exit 9 ;;
esac
X
	exits 1 leat run odd 2018-01-01 2>err && has err away &&
	exits 1 leat run odd 2018-01-01 --param what=hole 2>err && has err huge &&
	exits 1 leat run odd 2018-01-01 --param what=socket 2>err && has err sock &&
	exits 1 leat run odd 2018-01-01 --param what=pipe 2>err && has err pipe &&
	exits 1 leat run odd 2018-01-01 --param what=device 2>err && has err "exit status 7" &&
	exits 1 leat run odd 2018-01-01 --param what=gone 2>err && has err "exit status 9" &&
	exits 1 leat ls raw/odd
'

test_expect 'a set-user-id program gives a task nothing' '
	cd w && job nnp raw/nnp <<\X &&
grep NoNewPrivs /proc/self/status >/pfs/out/x
X
	leat run nnp 2018-01-01 && leat cat raw/nnp:/ds=2018-01-01/x | has - 1
'

test_expect 'an input called out and a program that is not there are told' '
	cd w && job bad raw/bad "inputs: {out: raw/a}" <<<"true" && exits 1 leat run bad 2018-01-01 2>err && has err "/pfs/out is the output" &&
	job none raw/none <<<"#!/usr/bin/env no-such-thing" && exits 1 leat run none 2018-01-01 2>err && has err "no program no-such-thing"
'

test_expect 'leat.yaml says it for all jobs, and a job for itself' '
	cd w && mkdir -p jobs/plain && printf "kind: script\npartition: daily\noutput: raw/plain\n" >jobs/plain/job.yaml &&
	echo "pwd >\"\$LEAT_OUTPUT/x\"" >jobs/plain/job.sh &&
	leat run plain 2018-01-01 && leat cat raw/plain:/ds=2018-01-01/x | has - .leat &&
	echo "sandbox: on" >>leat.yaml && leat run plain 2018-01-02 && eq "$(leat cat raw/plain:/ds=2018-01-02/x)" /leat/work &&
	echo "sandbox: off" >>jobs/plain/job.yaml && leat run plain 2018-01-03 && leat cat raw/plain:/ds=2018-01-03/x | has - .leat &&
	LEAT__SANDBOX=off exits 0 leat run see 2018-01-01 && sed -i "/sandbox/d" leat.yaml
'

test_expect 'kill -9 of leat: no process, mount or folder of the task is left' '
	cd w && before=$(mounts) &&
	job slow raw/slow <<\X &&
setsid sleep 300 & echo $! >/tmp/child; echo $$ >/tmp/pid; sleep 5
X
	{ "$LEAT_BIN" run slow 2018-01-01 >out 2>&1 & } && pid=$! &&
	wait_for 20 sh -c "cat .leat/staging/run/*/*/tmp/pid" && pids=$(cat .leat/staging/run/*/*/tmp/*) && kill -9 $pid && { wait $pid || true; } &&
	leat run see 2018-01-01 &&
	eq "$(mounts)" "$before" && eq "$(find .leat/staging/run -mindepth 1 | wc -l)" 0 &&
	! [ -e /pfs ] && ! [ -e /leat ] &&
	for p in $pids; do ! lives "$p" || return 1; done
'

test_expect 'no staging folder of a run is left' '
	cd w && eq "$(find .leat/staging/run -mindepth 1 | wc -l)" 0
'
test_done
