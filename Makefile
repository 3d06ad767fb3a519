# What people run: `make demo` and `make test`. `make check` is quick.

.DEFAULT_GOAL := help
BINARY := target/release/reconciler

.PHONY: help build demo demo-down test check clean

help: ## Says what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## Builds target/release/reconciler
	cargo build --release --locked

demo: ## Runs etcd, an S3 store, Milvus and nginx, and proves it with a real client
	tests/lab/demo.sh

demo-down: ## Takes the demo away, and asks before its data
	tests/lab/demo-down.sh

test: ## Runs every test; those on the Docker Engine fail when there is none
	tests/all

check: ## Format, lints, docs, licences
	cargo fmt --check
	cargo clippy --all-targets --locked -- -D warnings
	RUSTDOCFLAGS='-D warnings -A rustdoc::private-intra-doc-links' cargo doc --no-deps --locked --document-private-items
	tests/licences

clean: ## Removes what was built; images, data and state stay
	cargo clean
