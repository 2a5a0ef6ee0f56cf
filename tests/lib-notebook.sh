# tests/lib-notebook.sh: jobs of kind notebook.

# NAME [lines of job.yaml]: the notebook (percent) from standard input. Plain Python executes it, whatever is installed.
notebook() {
	local name=$1
	shift
	mkdir -p "jobs/$name" && { printf 'kind: notebook\npartition: daily\noutput: raw/%s\n' "$name" && printf '%s\n' "$@"; } >"jobs/$name/job.yaml" &&
		{ grep -q '^engine:' "jobs/$name/job.yaml" || echo 'engine: python' >>"jobs/$name/job.yaml"; } && cat >"jobs/$name/notebook.py"
}
page() { echo "datastore/job_runs/$1/ds=$2/notebook"; }
# The text of a page as a reader sees it, without its style.
seen() { sed -e 's/<style>.*<\/style>//' -e 's/<[^>]*>//g' -e 's/&quot;/"/g; s/&lt;/</g; s/&gt;/>/g; s/&amp;/\&/g' "$1"; }
# For a cell of a job without a daemon: unit 2 waits until the interpreter that the next ones are forked from stands ready.
READY='
def ready():
    listens = [line.split()[-1] for line in open("/proc/net/unix") if line.split()[3] == "00010000"]
    for p in filter(str.isdigit, os.listdir("/proc")):
        try:
            words = open("/proc/%s/cmdline" % p).read().split("\0")
            if "zygote" in words and "@" + words[words.index("zygote") + 1] in listens and "HOME=" + os.environ["HOME"] in open("/proc/%s/environ" % p).read().split("\0"):
                return True
        except OSError:
            pass
import os, time
while ds[-1] == "2" and not ready(): time.sleep(0.02)
'
# Prints, in a cell, how its interpreter was started; no page has these words but for that.
WARM='import os; print("%s start" % ("co" + "ld" if "leat" in open("/proc/%d/comm" % os.getppid()).read() else "wa" + "rm"))'
