#!/usr/bin/env python3
"""A person at a terminal who types and presses Tab: tab.py zsh|fish SETUP LINE... prints what each line has become.

SETUP is what the shell reads first. Each LINE is typed, then Tab, then a key that writes the line as it stands to a
file; a second Tab is pressed where LINE ends in a tab of its own. With the word "list" before it (tab.py list zsh ...)
zsh prints the candidates instead, those of each Tab on lines of their own, a blank one behind.
"""
import os
import pty
import select
import signal
import sys
import tempfile
import time

LIMIT = 30  # seconds for one line


class Terminal:
    def __init__(self, shell, setup, listing):
        self.folder = tempfile.mkdtemp(dir=os.environ.get("TRASH"))
        self.dump, self.found = f"{self.folder}/line", f"{self.folder}/found"
        env = dict(os.environ, TERM="vt100", COLUMNS="200", ZDOTDIR=self.folder, XDG_CONFIG_HOME=self.folder,
                   XDG_DATA_HOME=self.folder)
        if shell == "zsh":
            script = "unsetopt beep; PS1='' RPS1=''; zle_bracketed_paste=();" + setup + f"""
dump() {{ print -r -- "$BUFFER" >| {self.dump}.new; mv {self.dump}.new {self.dump}; BUFFER='' }}
zle -N dump; bindkey '^X' dump
"""
            if listing:
                script += f"""
compadd() {{
    local -a hits
    [[ " $* " == *" -O "* || " $* " == *" -A "* || " $* " == *" -D "* ]] || {{
        builtin compadd -O hits "$@"
        (( $#hits )) && print -rl -- $hits >> {self.found}
    }}
    builtin compadd "$@"
}}
"""
            argv = ["zsh", "-f", "-i"]
        else:
            script = "function fish_greeting; end\nfunction fish_prompt; end\n" + setup + f"""
function dump; commandline > {self.dump}.new; mv {self.dump}.new {self.dump}; commandline -r ''; end
bind \\cx dump
"""
            argv = ["fish", "--no-config", "-i"]
        with open(f"{self.folder}/setup", "w", encoding="utf-8") as f:
            f.write(script)
        self.child, self.master = pty.fork()
        if not self.child:
            os.execvpe(argv[0], argv, env)
        self.type(f". {self.folder}/setup; echo up > {self.dump}\r")
        self.result()

    def type(self, text):
        os.write(self.master, text.encode())

    def result(self):
        end, seen = time.time() + LIMIT, b""
        while not os.path.exists(self.dump):
            if time.time() > end:
                sys.exit(f"tab.py: no answer; the screen: {seen[-2000:]!r}")
            if select.select([self.master], [], [], 0.01)[0]:
                seen += os.read(self.master, 65536)
        with open(self.dump, encoding="utf-8") as f:
            text = f.read().rstrip("\n")
        os.unlink(self.dump)
        return text

    def line(self, text):
        self.type(text.rstrip("\t") + "\t" + "\t" * (len(text) - len(text.rstrip("\t"))) + "\x18")
        return self.result()

    def candidates(self):
        if not os.path.exists(self.found):
            return ""
        with open(self.found, encoding="utf-8") as f:
            text = f.read()
        os.unlink(self.found)
        return text

    def close(self):
        os.kill(self.child, signal.SIGKILL)
        os.close(self.master)
        os.waitpid(self.child, 0)


def main():
    words = sys.argv[1:]
    listing = words[0] == "list"
    words = words[1:] if listing else words
    t = Terminal(words[0], words[1], listing)
    for text in words[2:]:
        line = t.line(text)
        print(t.candidates() if listing else f"{line}|")
    t.close()


if __name__ == "__main__":
    main()
