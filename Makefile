# The front door. Meson and Ninja do the work; HACKING.md says what to type when.
#
#   make            build/leat
#   make help       the rest

PREFIX ?= /usr/local
DESTDIR ?=
SECONDS ?= 30
T ?=
MESON ?= meson
NINJA ?= ninja

all: build/leat

build/build.ninja: | meson.build
	@tools/setup
	@$(MESON) setup build

build/leat: build/build.ninja FORCE
	@$(NINJA) -C build leat

# With fault points (LEAT_CRASH_AT, LEAT_FAULT): what the fault tests drive, and where the unit tests are built.
build-test/build.ninja: | meson.build
	@$(MESON) setup build-test -Dfaults=true -Dbuildtype=debug

# The same under AddressSanitizer and UndefinedBehaviorSanitizer, whose code makes gcc warn where there is nothing
# (its manual says so), so warnings do not stop this build.
build-asan/build.ninja: | meson.build
	@$(MESON) setup build-asan -Dfaults=true -Dwerror=false -Doptimization=1 -Db_sanitize=address,undefined -Db_lundef=false

build-test: build-test/build.ninja FORCE
	@$(NINJA) -C build-test

build-asan: build-asan/build.ninja FORCE
	@$(NINJA) -C build-asan

# Under ThreadSanitizer: only what reaches threads is run with it.
build-tsan/build.ninja: | meson.build
	@$(MESON) setup build-tsan -Dfaults=true -Dwerror=false -Doptimization=1 -Db_sanitize=thread -Db_lundef=false

build-tsan: build-tsan/build.ninja FORCE
	@$(NINJA) -C build-tsan

check-tsan: setup build-tsan
	@tools/check-tsan $(T)

setup:
	@tools/setup

# The whole suite; the last line is `N passed, N failed, N skipped`. `make test T="put log"`: those with such a name.
test: setup build/leat build-test
	@tests/run --units build-test $(T)

check: setup
	@tools/check

# What takes long: orders of steps, kills, failing writes, bits that flip, many commits, many processes. Two hours and more.
soak: setup build/leat build-test build-asan
	@LEAT_WEAVE_SCHEDULES=100000 build-test/tests/unit-repo-t_weave
	@LEAT_WEAVE_SCHEDULES=5000 LEAT_WEAVE_SEED=200001 build-asan/tests/unit-repo-t_weave
	@LEAT_TEST_KILLS=1000 ADOPT_TIMES=100 LEAT_TEST_CRASHES=20 LEAT_TEST_FLIPS=40 LEAT_TEST_FAULT_TRIES=0 LEAT_TEST_FAULT_STEP=1 \
		tests/run -v --timeout 7200 fault/
	@LEAT_TEST_LINE=2000000000 LEAT_TEST_READY=10000 tests/run -v --timeout 7200 t7510
	@tests/soak/at_once.py build/leat history 10000
	@tests/soak/at_once.py build/leat mixture 60
	@tests/soak/settled.py build/leat 3000

bench: setup build/leat
	@tests/bench/run $(T)

demo: setup build/leat
	@tools/demo

fuzz:
	@tools/fuzz $(SECONDS) $(T)

install: build/leat
	@tools/install '$(DESTDIR)' '$(PREFIX)'

clean:
	rm -rf build build-test build-asan build-tsan build-fuzz

help:
	@echo 'make                  builds the program at build/leat'
	@echo 'make demo             sets up, builds, and runs an example pipeline on real data'
	@echo 'make test [T=words]   sets up, builds, runs the tests (with one of these words in their name)'
	@echo 'make check            layers, sizes, headers, static analysis, the suite under sanitizers'
	@echo 'make check-tsan [T=]  what reaches threads, under ThreadSanitizer'
	@echo 'make soak             kills, crashes, failing writes, flipped bits, orders of steps, in large numbers'
	@echo 'make bench            the figures of docs/benchmarks.md, each with its floor'
	@echo 'make fuzz SECONDS=30  each fuzz target for that long (needs clang)'
	@echo 'make install PREFIX=/usr/local [DESTDIR=]'
	@echo 'make setup | clean | help'

FORCE:
.PHONY: all build-test build-asan build-tsan check-tsan setup test check bench soak demo fuzz install clean help FORCE
