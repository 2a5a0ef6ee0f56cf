# The front door. Meson and Ninja do the work; see HACKING.md.
all: build/leat

build/build.ninja: meson.build meson_options.txt
	meson setup build

build/leat: build/build.ninja FORCE
	@ninja -C build

FORCE:
.PHONY: all FORCE
