# `make demo` shows what it does, `make test` shows that it works. Everything else is for contributors.
# Whatever is missing on a Debian machine, .ci/run installs; the targets here expect Rust to be there.

.PHONY: demo test bench sim fuzz lint ui screenshots nightly clean
.DEFAULT_GOAL := demo

# One seed takes a fraction of a second; nightly runs many more.
SEEDS ?= 200
SECONDS_EACH ?= 60

demo:
	cargo run --release -p faden -- demo

test:
	.ci/run

bench:
	cargo run --release -p faden -- bench engine

sim:
	cargo xtask sim --seeds $(SEEDS)

fuzz:
	cargo xtask fuzz --seconds $(SECONDS_EACH)

lint:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	cargo xtask arrows
	cargo xtask house

# The console, into web/dist, where the server's build finds it. Needs Node 20.19 or later.
ui:
	cd web && npm ci && npm run build

# The picture that README opens with, of the demo company.
screenshots: ui
	cargo build --release -p faden
	ONLY=journey JOURNEY=order_updates LOOK=wide-light-en web/e2e/run.sh $${CARGO_TARGET_DIR:-target}/release/faden --pictures target/pictures
	mkdir -p docs/images
	cp target/pictures/journey-wide-light-en.png docs/images/console.png

nightly: test
	cargo xtask sim --seeds 10000
	cargo xtask fuzz --seconds 60
	python3 tests/live/memory.py --faden $${CARGO_TARGET_DIR:-$$HOME/.cache/faden-target}/release/faden \
	  --events 1000000 --every 250000 --customers 50000 --cache 64 --most 500

clean:
	cargo clean
	rm -rf fuzz/target fuzz/corpus fuzz/artifacts faden-data
