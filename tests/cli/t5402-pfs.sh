#!/usr/bin/env bash
# What a unit that comes from data sees: its files at /pfs/NAME and no others, Pachyderm's variables.
. "$(dirname "$0")/../lib.sh"

leat doctor --json >.t/doctor 2>/dev/null
sandbox=$(json .t/doctor '[r["state"] for r in d if r["what"] == "sandbox"][0]')

yaml() { # NAME: job.yaml from standard input
	mkdir -p "jobs/$1" && cat >"jobs/$1/job.yaml"
}
id_of() { leat log "$1" --json | head -1 | python3 -c 'import json, sys; print(json.loads(sys.stdin.readline())["commit"])'; }

if [ "$sandbox" = ok ]; then
test_expect 'a unit has a root of its own unless the job says otherwise: /pfs/NAME holds its files and no others' '
	workspace w && mkdir -p in/d/e && for f in a b d/1 d/e/2; do echo "file $f" >in/$f; done && leat put my-data in &&
	yaml see <<\X &&
inputs: [{repo: my-data, glob: "/*"}]
cmd: [sh]
stdin:
  - n=$(cd /pfs/my-data && ls)
  - (cd /pfs && find . -type f | grep -v out | sort; ls) >/pfs/out/$n.list
  - (cd /pfs/my-data && find . -type f | sort | xargs cat) >/pfs/out/$n.bytes
  - (echo no >>/pfs/my-data/$n; rm -rf /pfs/my-data/*; touch /pfs/my-data/new) 2>/dev/null
  - env >/pfs/out/$n.env; ls /pfs/my-data >/pfs/out/$n.after; echo "{{ not a template }}" >/dev/null
  - exit 0
X
	leat run && leat get see: -r -o got && cd got &&
	eq "$(tr "\n" " " <a.list)" "./my-data/a my-data out " && eq "$(cat a.bytes)" "file a" && eq "$(cat a.after)" a &&
	eq "$(tr "\n" " " <d.list)" "./my-data/d/1 ./my-data/d/e/2 my-data out " && eq "$(tr "\n" " " <d.bytes)" "file d/1 file d/e/2 " &&
	has a.env "LEAT_INPUT_my_data=/pfs/my-data" "LEAT_OUTPUT=/pfs/out" "HOME=/leat/home" && leat -C ../ fsck && ! [ -e /pfs ]
'
fi

test_expect 'the variables of Pachyderm: path and commit of each input, the unit, the job and the output commit' '
	workspace v && echo 1 >one && echo 2 >two && leat put left one && leat put right two && commit=$(id_of left) &&
	yaml pair <<\X &&
inputs:
  left: {repo: left, glob: "/(*)", joinOn: "x"}
  right: {repo: right, glob: "/*"}
cmd: [sh, -c, "env | sort >\"$LEAT_OUTPUT\"/env; cat \"$left\" \"$right\" >>\"$LEAT_OUTPUT\"/env"]
X
	sed -i "s/, joinOn: \"x\"//" jobs/pair/job.yaml && leat run && leat cat pair:/env >env && out=$(id_of pair) &&
	has env "left_COMMIT=$commit" "PACH_JOB_ID=$out" "PACH_OUTPUT_COMMIT_ID=$out" && grep -qE "^PACH_DATUM_ID=[0-9a-f]{64}$" env &&
	grep -qE "^left=.*/one$" env && eq "$(tail -2 env | tr "\n" " ")" "1 2 "
'

test_expect 'a join and a group tell what their units have in common' '
	cd v && for i in 00 01 10 11; do echo $i >$i; done && leat put bits 00 01 10 11 && leat put tibs 00 01 10 11 &&
	yaml join <<\X &&
input:
  join:
    - {pfs: {repo: bits, glob: "/(?)(?)", joinOn: "$2$1"}}
    - {pfs: {repo: tibs, glob: "/(?)(?)", joinOn: "$1$2"}}
cmd: [sh, -c, "echo \"$PACH_DATUM_bits_JOIN_ON $PACH_DATUM_tibs_JOIN_ON\" >$LEAT_OUTPUT/$(basename $bits)"]
X
	yaml group <<\X &&
input:
  group:
    - {pfs: {repo: bits, glob: "/(?)(?)", groupBy: "$2"}}
cmd: [sh, -c, "(cd $LEAT_INPUT_bits && cat *) >$LEAT_OUTPUT/$PACH_DATUM_bits_GROUP_BY"]
X
	leat run && eq "$(leat cat join:/01)" "10 10" && eq "$(leat cat group:/1 | tr "\n" " ")" "01 11 "
'

test_expect 'emptyFiles: the names of the files, without their bytes' '
	cd v && mkdir -p deep/d && echo 1 >deep/d/x && echo 22 >deep/y && leat put full deep &&
	yaml names <<\X &&
inputs: {full: {repo: full, glob: "/", emptyFiles: true}}
cmd: [sh, -c, "cd $LEAT_INPUT_full && find . -type f | sort | xargs wc -c | head -2 | tr -s \" \" >$LEAT_OUTPUT/x"]
X
	leat run && eq "$(leat cat names:/x | sed "s/^ //" | tr "\n" " ")" "0 ./d/x 0 ./y "
'

test_expect 'large files and many of them are seen as small and few ones are' '
	cd v && mkdir many && for i in $(seq 150); do echo $i >many/$i; done && head -c 300000 /dev/zero >many/big && leat put lots many &&
	yaml many <<\X &&
inputs: {many: {repo: lots, glob: "/"}}
cmd: [sh, -c, "cd $LEAT_INPUT_many && ls | wc -l >$LEAT_OUTPUT/n && wc -c <big >$LEAT_OUTPUT/big && cat [0-9]* | sort -n | tail -1 >$LEAT_OUTPUT/last; echo x >>big; exit 0"]
X
	yaml one <<\X &&
inputs: {many: {repo: lots, glob: "/big"}}
cmd: [sh, -c, "cd $LEAT_INPUT_many && wc -c <big >$LEAT_OUTPUT/big; echo x >>big; ls >$LEAT_OUTPUT/ls"]
X
	leat run && eq "$(leat cat many:/n)" 151 && eq "$(leat cat many:/last)" 150 && eq "$(leat cat many:/big)" 300000 && eq "$(leat cat one:/big)" 300000 &&
	eq "$(leat cat one:/ls)" big && leat fsck && eq "$(leat cat lots:/big | wc -c)" 300000
'

test_expect 'what a unit sees is the same without a sandbox, where the variables say' '
	cd v && for j in many one pair names; do LEAT__SANDBOX=off leat run $j --again || return 1; done && eq "$(leat cat many:/n)" 151 &&
	leat cat pair:/env >env && grep -qE "^left=.*/.leat/.*/one$" env && eq "$(tail -2 env | tr "\n" " ")" "1 2 " && leat fsck
'

test_expect 'a failed unit whose errCmd ends well counts as recovered' '
	workspace r && for i in 1 2 3; do echo $i >file$i; done && leat put in file1 file2 file3 &&
	yaml fragile <<\X &&
inputs: {in: {repo: in, glob: "/*"}}
cmd: [sh, -c, "[ -e $LEAT_INPUT_in/file1 ] && echo ok >$LEAT_OUTPUT/file1"]
errCmd: [sh, -c, "[ -e $LEAT_INPUT_in/file3 ]"]
X
	exits 1 leat run 2>err && has err file2 && leat runs fragile --json | head -1 >run && exits 1 leat cat fragile:/file1 &&
	sed -i "s/^errCmd:.*/errCmd: [\"true\"]/" jobs/fragile/job.yaml && leat run 2>err && eq "$(leat cat fragile:/file1)" ok && count 1 leat ls fragile
'
without() { # leat's arguments: where no mount namespace can be made
	unshare -Ur sh -c 'echo 0 >/proc/sys/user/max_mnt_namespaces && exec "$@"' - "$LEAT_BIN" "$@"
}
if unshare -Ur sh -c 'echo 0 >/proc/sys/user/max_mnt_namespaces' 2>/dev/null; then
test_expect 'where no sandbox can be made: doctor and a note say so, units find their folders by the variables; sandbox: on fails' '
	workspace n && echo 1 >a && leat put in a &&
	yaml plain <<\X &&
inputs: {in: {repo: in, glob: "/*"}}
cmd: [sh, -c, "cat $LEAT_INPUT_in/a >$LEAT_OUTPUT/a; ls /pfs || true"]
X
	without doctor --json >doctor && eq "$(json doctor "[r[\"state\"] for r in d if r[\"what\"] == \"sandbox\"][0]")" warn &&
	without run 2>err && has err "plain has no /pfs here" && eq "$(leat cat plain:/a)" 1 &&
	echo "sandbox: on" >>jobs/plain/job.yaml && echo 2 >a && leat put in a && exits 1 without run 2>err && has err "wants a sandbox"
'
else
test_skip 'where no sandbox can be made, doctor and a note say so' 'no user namespaces'
fi
test_done
