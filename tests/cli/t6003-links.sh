#!/usr/bin/env bash
# Links of the README and the docs.
. "$(dirname "$0")/../lib.sh"

test_expect 'every link of the README and of the docs leads to a file' '
	python3 - "$CHECKOUT" <<P
import os, re, sys
top, bad = sys.argv[1], []
pages = [os.path.join(top, f) for f in os.listdir(top) if f.endswith(".md")]
for folder, _, files in os.walk(os.path.join(top, "docs")):
    pages += [os.path.join(folder, f) for f in files if f.endswith(".md")]
for page in pages:
    text = re.sub(r"\`\`\`.*?\`\`\`|\`[^\`]*\`", "", open(page, encoding="utf-8").read(), flags=re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        target = target.split("#")[0]
        if target and not re.match(r"[a-z]+:", target) and not os.path.exists(os.path.join(os.path.dirname(page), target)):
            bad.append("%s: %s" % (os.path.relpath(page, top), target))
print("\n".join(bad))
sys.exit(len(bad) > 0)
P
'
test_done
