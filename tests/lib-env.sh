# tests/lib-env.sh: Python environments without a network: wheels that the test makes, and requirements that name them.

python3 -c 'import venv, ensurepip' 2>/dev/null || skip_all 'python3 has no venv or ensurepip (apt install python3-venv)'

export PIP_NO_INDEX=1

# DIR NAME VERSION [CODE]: a wheel of one module, which knows its VERSION
wheel() {
	mkdir -p "$1" && python3 - "$@" <<-'X'
		import sys, zipfile
		folder, name, version = sys.argv[1:4]
		info = "%s-%s.dist-info/" % (name, version)
		files = {name + ".py": "VERSION = %r\n%s\n" % (version, "".join(sys.argv[4:5])),
		         info + "METADATA": "Metadata-Version: 2.1\nName: %s\nVersion: %s\n" % (name, version),
		         info + "WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
		         info + "entry_points.txt": "[console_scripts]\n%s-say = %s:say\n" % (name, name)}
		files[info + "RECORD"] = "".join(n + ",,\n" for n in files) + info + "RECORD,,\n"
		with zipfile.ZipFile("%s/%s-%s-py3-none-any.whl" % (folder, name, version), "w") as z:
		    for n in sorted(files):
		        z.writestr(zipfile.ZipInfo(n, (1980, 1, 1, 0, 0, 0)), files[n])
	X
}
# JOB NAME VERSION: its requirements.txt, from the workspace's wheels/
requires() {
	printf -- '--no-index\n--find-links %s/wheels\n%s==%s\n' "$PWD" "$2" "$3" >"jobs/$1/requirements.txt"
}
# NAME CODE [lines of job.yaml]: a script job in Python
script() {
	mkdir -p "jobs/$1" && printf '%s\n' "$2" >"jobs/$1/job.py" && { printf 'kind: script\noutput: raw/%s\n' "$1" && printf '%s\n' "${@:3}"; } >"jobs/$1/job.yaml"
}
envs() { find .leat/cache/env -mindepth 1 -maxdepth 1 -type d | sort; }
