//! What is asked over the network.

use crate::health_server::HealthServer;
use crate::product::free_port;
use crate::real::IMAGE;
use crate::{Scene, docker, inside, until};

const ETCD: &str = "lab/etcd:3.5.16";
const NGINX: &str = "lab/nginx:1.22";
const GARAGE: &str = "lab/s3-garage:2.5.0";

const HEALTHZ: &str = "
worker_processes 1;
pid /run/nginx.pid;
error_log /dev/stderr warn;
events {}
http {
  access_log off;
  server {
    listen 8080;
    location = /healthz {
      if (-f /shared/bad) { return 500 'not all components are healthy'; }
      return 200 'OK';
    }
  }
}
";

#[tokio::test]
async fn a_page_that_is_an_error_or_hangs_and_a_port_that_does_not_answer_fail() {
    let Some(scene) = Scene::new("check-page", &[NGINX]).await else { return };
    let port = free_port();
    scene.product.write("nginx.conf", HEALTHZ);
    scene.product.write("shared/there", "");
    scene.want(&format!(
        "
services:
  web:
    image: {NGINX}
    ports: ['127.0.0.1:{port}:8080']
    volumes: ['./nginx.conf:/etc/nginx/nginx.conf:ro', './shared:/shared:ro']
    stop_grace_period: 1s
x-reconciler:
  checks:
    healthz: {{http: 'http://web:8080/healthz', status: 200, body: OK, timeout: 1s}}
    front: {{tcp: '127.0.0.1:{port}'}}
    front-page: {{http: 'http://127.0.0.1:{port}/healthz', timeout: 1s}}
"
    ));
    scene.product.apply();
    scene.passes();

    scene.product.write("shared/bad", "");
    let web = scene.container("web");
    scene.fails("healthz", &["service/web/1", "answered 500", "docker logs", &web]);
    scene.product.shell("rm shared/bad");

    // It takes connections, and nobody reads from them.
    inside(&web, "busybox killall -STOP nginx");
    scene.fails("healthz", &["service/web/1", "no answer in 1 s", "it hangs"]);
    scene.fails("front-page", &["no answer in 1 s", "hangs"]);
    inside(&web, "busybox killall -CONT nginx");
    scene.passes();

    docker(&["stop", "-t", "1", &web]);
    let front = format!("127.0.0.1:{port}");
    scene.fails("front", &[&front, "refused", "is the port published?"]);
    scene.fails("healthz", &["service/web", "no container of it runs"]);
}

#[tokio::test]
async fn a_published_port_behind_which_nothing_listens_fails() {
    let Some(scene) = Scene::new("check-front", &[IMAGE]).await else { return };
    let port = free_port();
    scene.want(&format!(
        "
services:
  web:
    image: {IMAGE}
    command: [sh, -c, 'httpd -p 8080 -h /; exec sleep 600']
    init: true
    ports: ['127.0.0.1:{port}:8080']
    stop_grace_period: 1s
x-reconciler: {{checks: {{front: {{tcp: '127.0.0.1:{port}'}}}}}}
"
    ));
    scene.product.apply();
    scene.passes();
    inside(&scene.container("web"), "killall httpd");
    scene.fails("front", &["closes them at once", "docker ps"]);
}

#[tokio::test]
async fn a_grpc_server_that_does_not_serve_or_know_the_password_fails() {
    let Some(scene) = Scene::new("check-grpc", &[IMAGE]).await else { return };
    let server = HealthServer::start("root", "right-password").await;
    let at = format!("127.0.0.1:{}", server.port);
    let want = |password: &str| {
        scene.want(&format!(
            "
services:
  app: {{image: {IMAGE}, command: [sleep, '600'], init: true}}
x-reconciler:
  checks:
    health: {{grpc: '{at}', service: db, user: root, password: {password}}}
"
        ));
    };
    want("right-password");
    scene.product.apply();
    scene.passes();
    server.serves(false);
    scene.fails("health", &[&at, "is not serving"]);
    server.serves(true);
    want("wrong-password");
    let found =
        scene.fails("health", &[&at, "status 16", "does not take these credentials"]);
    assert!(!found.to_string().contains("wrong-password"), "{found}");
}

#[tokio::test]
async fn an_etcd_whose_quota_is_full_or_that_does_not_know_the_password_fails() {
    let Some(scene) = Scene::new("check-etcd", &[ETCD]).await else { return };
    let want = |login: &str| {
        scene.want(&format!(
            "
services:
  etcd:
    image: {ETCD}
    command: [etcd, --listen-client-urls=http://0.0.0.0:2379,
      --advertise-client-urls=http://etcd:2379, --data-dir=/tmp/etcd]
    environment: {{ETCD_QUOTA_BACKEND_BYTES: '2097152', ETCD_LOG_LEVEL: error}}
    healthcheck: {{test: [CMD, etcdctl, endpoint, health], interval: 1s, retries: 30}}
    stop_grace_period: 1s
x-reconciler:
  checks:
    health: {{grpc: 'etcd:2379'}}
    alarms: {{etcd_alarms: 'etcd:2379'{login}}}
"
        ));
    };
    want("");
    scene.product.apply();
    scene.passes();
    let etcd = scene.container("etcd");
    let put = "head -c 1000000 /dev/zero | tr '\\0' x | etcdctl put $KEY";
    let fill = format!("for KEY in a b c d; do {put} || exit 0; done; exit 1");
    inside(&etcd, &fill);
    let words = ["service/etcd/1", "NOSPACE", "member", "defragment"];
    scene.fails("alarms", &words);
    inside(
        &etcd,
        "for key in a b c d; do etcdctl del $key; done; \
         rev=$(etcdctl endpoint status -w json | sed 's/.*\"revision\":\\([0-9]*\\).*/\\1/'); \
         etcdctl compact $rev && etcdctl defrag && etcdctl alarm disarm",
    );
    scene.passes();

    inside(
        &etcd,
        "etcdctl user add root:right-password && etcdctl user grant-role root root; \
         etcdctl auth enable",
    );
    want(", user: root, password: right-password");
    scene.passes();
    want(", user: root, password: wrong-password");
    scene.fails("alarms", &["service/etcd/1", "authentication failed", "credentials"]);
}

#[tokio::test]
async fn an_s3_server_that_refuses_the_key_or_is_down_fails() {
    let Some(scene) = Scene::new("check-s3", &[GARAGE]).await else { return };
    let want = |secret: &str| {
        scene.want(&format!(
            "
services:
  minio:
    image: {GARAGE}
    environment:
      GARAGE_DEFAULT_ACCESS_KEY: lab-access-key
      GARAGE_DEFAULT_SECRET_KEY: right-secret-key-of-lab
      GARAGE_DEFAULT_BUCKET: a-bucket
    healthcheck: {{test: [CMD, curl, -f, 'http://localhost:3903/health'], interval: 1s, retries: 60}}
    stop_grace_period: 1s
x-reconciler:
  checks:
    s3: &s3 {{s3: 'http://minio:9000', bucket: a-bucket, access_key: lab-access-key,
      secret_key: {secret}}}
    buckets: {{s3: 'http://minio:9000', access_key: lab-access-key, secret_key: {secret}}}
"
        ));
    };
    want("right-secret-key-of-lab");
    scene.product.apply();
    until("the bucket is there", || scene.product.run(&["check", "s3"]).code == 0);
    scene.passes();
    want("wrong-secret-key-of-lab");
    let found = scene.fails("s3", &["service/minio/1", "403", "`secret_key`"]);
    assert!(!found.to_string().contains("secret-key-of-lab"), "{found}");
    want("right-secret-key-of-lab");
    docker(&["stop", "-t", "1", &scene.container("minio")]);
    scene.fails("s3", &["service/minio", "no container of it runs", "reconciler apply"]);
}
