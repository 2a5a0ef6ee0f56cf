#!/usr/bin/env bash
# secrets: variables or files of a task, from secrets/NAME/KEY or the environment; never in the store, a log or a message.
. "$(dirname "$0")/../lib.sh"

leat doctor --json >.t/doctor 2>/dev/null
sandbox=$(json .t/doctor '[r["state"] for r in d if r["what"] == "sandbox"][0]')

job() { # NAME: the rest of its job.yaml from standard input
	mkdir -p "jobs/$1" && cat >"jobs/$1/job.yaml"
}
secret() { # NAME/KEY VALUE
	mkdir -p "secrets/$(dirname "$1")" && (umask 077 && printf '%s\n' "$2" >"secrets/$1")
}
nowhere() { # TEXT: in no file of the store, and in nothing that leat tells
	{ leat why "$2"; leat plan; leat log "$2" --json; leat runs --json; leat jobs --json; leat logs "$2"; leat units "$2" --json; } >told 2>&1
	grep -rqF -- "$1" .leat datastore told && { grep -rlF -- "$1" .leat datastore told; return 1; }
	sqlite3 .leat/leat.db .dump 2>/dev/null | grep -F -- "$1" && return 1
	return 0
}

test_expect 'a secret of the workspace is a variable of the task; its value is nowhere else, and masked in the log, in pieces too' '
	workspace w && has .gitignore /secrets/ && echo 1 >f && leat put in f && secret db/password s3cr3t-value && job p <<\X &&
inputs: {in: {repo: in, glob: "/*"}}
secrets: [{name: db, key: password, envVar: PW}]
cmd: [sh, -c, "echo \"[$PW]\"; printf s3cr; sleep 0.1; printf \"3t-value.\"; echo $PW >&2; printf s3cr; printf \"%s\" \"$PW\" | wc -c >$LEAT_OUTPUT/n"]
X
	leat run && eq "$(leat cat p:/n)" 12 && leat logs p >log && eq "$(tr "\n" " " <log)" "[***] ***.*** s3cr" && nowhere s3cr3t-value p &&
	leat run p --unit 1 2>err && has err "[***]" && lacks err s3cr3t
'

test_expect 'another value is no reason to run again; another name is' '
	cd w && secret db/password another-value && leat run --json | tail -1 | has - "\"ran\":0" && secret db/other x-value &&
	sed -i "s/key: password/key: other/" jobs/p/job.yaml && leat run --json | tail -1 | has - "\"ran\":1"
'

test_expect 'the variable LEAT_SECRET_NAME_KEY comes first, and needs no file' '
	cd w && LEAT_SECRET_DB_OTHER=from-outside leat run p --again && eq "$(leat cat p:/n)" 12 && rm -r secrets &&
	LEAT_SECRET_DB_OTHER=from-the-env leat run p --again && leat logs p | lacks - from-the-env
'

test_expect 'one that is not there, or that others may read, is a sentence before anything runs' '
	cd w && leat runs --json >before && exits 1 leat run p --again 2>err && has err "the secret db/other is not there" "secrets/db/other" LEAT_SECRET_DB_OTHER "jobs/p/job.yaml:2" &&
	leat runs --json >after && same before after && secret db/other x && chmod 644 secrets/db/other && exits 2 leat run p --again 2>err && has err "may be read by others" "chmod 600"
'

test_expect 'what cannot be meant is refused with its place' '
	cd w && cp jobs/p/job.yaml good && for bad in "{name: db, key: other}" "{name: db, envVar: X}" "{name: db, mountPath: /tmp/x}" "{name: db, mountPath: x}" "{name: db, mountPath: /a/../b}" "{name: ../x, key: k, envVar: X}" "{name: db, key: k, envVar: 1x}" "{name: db, keyy: k, envVar: X}"; do
		sed "s|^secrets:.*|secrets: [$bad]|" good >jobs/p/job.yaml && exits 2 leat run p 2>err && has err "jobs/p/job.yaml:2" || return 1
	done && cp good jobs/p/job.yaml
'

if [ "$sandbox" = ok ]; then
test_expect 'mountPath: a folder with a file for each key, beside what the machine has there; lines of a long one are masked' '
	workspace m && echo 1 >f && leat put in f && secret tls/crt "$(printf "%s\n" -----BEGIN----- first-line-of-it second-line-of-it)" && secret tls/pin 0123456 && ls /usr >usr && job p <<\X &&
inputs: {in: {repo: in, glob: "/*"}}
secrets: [{name: tls, mountPath: /usr/share/leat-tls}, {name: tls, key: pin, mountPath: /secret/deep}]
cmd: [sh, -c, "ls -R /usr/share/leat-tls /secret; ls /usr >$LEAT_OUTPUT/usr; cat /usr/share/leat-tls/crt /secret/deep/pin; head -c 20 /usr/share/leat-tls/crt; echo x >>/secret/deep/pin; exit 0"]
X
	leat run && leat logs p >log && has log crt pin "***" && lacks log first-line second-line 0123456 && leat cat p:/usr >got && same got usr && nowhere second-line-of-it p && ! [ -e /usr/share/leat-tls ] && ! [ -e /secret ]
'
fi

test_expect 'without a sandbox a secret as a file is a sentence; the secrets of a Pachyderm spec are taken over' '
	cd w && secret db/other x && chmod 600 secrets/db/other && printf "{\"pipeline\": {\"name\": \"s\"}, \"input\": {\"pfs\": {\"repo\": \"in\", \"glob\": \"/*\"}}, \"transform\": {\"cmd\": [\"sh\"], \"stdin\": [\"echo \$KEY >\$LEAT_OUTPUT/x\"], \"secrets\": [{\"name\": \"db\", \"env_var\": \"KEY\", \"key\": \"other\"}]}}" >s.json &&
	leat apply -f s.json && leat run s && eq "$(leat cat s:/x)" x && printf "sandbox: off\ninputs: {in: {repo: in, glob: /}}\ncmd: [true]\nsecrets: [{name: db, mountPath: /x}]\n" | job off && exits 1 leat run off 2>err && has err "only in a sandbox"
'
test_done
