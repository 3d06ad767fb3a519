//! What is warned of, and what is not.

use super::super::super::problem::Severity;
use super::super::tests::{found, loaded};

const HEAD: &str = "services:\n";

fn warnings(text: &str) -> Vec<String> {
    let loaded = loaded(text);
    assert_eq!(found(&loaded, Severity::Error), Vec::<String>::new());
    found(&loaded, Severity::Warning)
}

fn stack(services: &str) -> String {
    warnings(&format!("{HEAD}{services}")).join("\n")
}

#[test]
fn a_careless_stack_hears_of_everything() {
    insta::assert_snapshot!(stack(
        "  etcd:
    image: quay.io/coreos/etcd:v3.5.25
    command: etcd -advertise-client-urls=http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379
    environment: {ETCD_QUOTA_BACKEND_BYTES: '4294967296'}
    mem_limit: 2g
  minio:
    image: quay.io/minio/minio:latest
    environment: {MINIO_ROOT_USER: a, MINIO_ROOT_PASSWORD: minioadmin}
  store:
    image: minio/minio:RELEASE.1
  one:
    image: milvusdb/milvus:v2.6.11
    command: [milvus, run, standalone]
    environment: [ETCD_ENDPOINTS=etcd:2379, MINIO_ADDRESS=minio, CACHE_SIZE=1, MINIO_BUKETNAME=b]
    ports: ['9091:9091', '19530:19530']
  two:
    image: milvusdb/milvus:v2.6.11
    environment: {ETCD_ENDPOINTS: 'etcd:2379', MQ_TYPE: woodpecker, MINIO_ADDRESS: store}
"
    ));
}

#[test]
fn a_careful_stack_hears_of_nothing() {
    let said = stack(
        "  etcd:
    image: quay.io/coreos/etcd:v3.5.25
    command: [etcd, --advertise-client-urls=http://etcd:2379]
    environment: {ETCD_QUOTA_BACKEND_BYTES: '2147483648'}
    mem_limit: 3g
  minio:
    image: quay.io/minio/minio:RELEASE.1
    environment: {MINIO_ROOT_USER: a, MINIO_ROOT_PASSWORD: some-other}
  one:
    image: milvusdb/milvus:v2.6.11
    command: [milvus, run, standalone]
    environment:
      MILVUS_CONF_MQ_TYPE: woodpecker
      COMMON_SECURITY_AUTHORIZATIONENABLED: true
      TZ: UTC
    ports: ['127.0.0.1:9091:9091', '[::1]:9091:9091', '19530:19530']
  two:
    image: milvusdb/milvus:v2.6.11
    command: [milvus, run, standalone]
    environment: {MQ_TYPE: woodpecker, ETCD_ROOTPATH: two, MINIO_ROOTPATH: two}
  three:
    image: milvusdb/milvus:v2.6.11
    volumes: ['./user.yaml:/milvus/configs/user.yaml:ro']
    ports: ['127.0.0.1:19531:19530']
",
    );
    assert_eq!(said, "");
}

#[test]
fn one_that_is_not_to_be_heard_of_is_silent_and_the_others_are_not() {
    let of = |stack_says: &str, service_says: &str| {
        let text = format!(
            "services: {{a: {{image: 'nginx:latest'{service_says}}}, m: {{image: \
             'minio/minio:latest'}}}}\n{stack_says}"
        );
        warnings(&text).len()
    };
    let ignore = "x-reconciler: {lint: {ignore: [unpinned-image]}}";
    assert_eq!(of("", ""), 3);
    assert_eq!(of("", &format!(", {ignore}")), 2);
    assert_eq!(of(ignore, ""), 1);
}
