//! The contract of blob stores: in a folder, in memory, and in a real S3-compatible server.

use crosstalk_core::contract::blobs;

use super::*;

#[tokio::test]
async fn a_folder_keeps_blobs() {
    let folder = tempfile::tempdir().unwrap();
    let store = Blobs::local(&folder.path().join("files")).unwrap();
    blobs::keeps_bytes(&store, folder.path()).await;
    let again = Blobs::local(&folder.path().join("files")).unwrap();
    blobs::has_what_it_kept(&again).await;
}

/// Short ones are put at once, long ones in parts: either fails, and comes when it can.
#[tokio::test]
async fn a_folder_that_takes_nothing_is_a_failure() {
    let folder = tempfile::tempdir().unwrap();
    let store = Blobs::local(&folder.path().join("files")).unwrap();
    let obstacle = folder.path().join("files/test");
    let path = folder.path().join("given");
    for size in [5, PART_BYTES, 2 * PART_BYTES + 3] {
        std::fs::write(&path, vec![7; size]).unwrap();
        std::fs::write(&obstacle, b"x").unwrap();
        store.put_file("test/x", &path).await.unwrap_err();
        std::fs::remove_file(&obstacle).unwrap();
        store.put_file("test/x", &path).await.unwrap();
        std::fs::remove_dir_all(&obstacle).unwrap();
    }
}

#[tokio::test]
async fn memory_keeps_blobs() {
    let folder = tempfile::tempdir().unwrap();
    let store = Blobs::memory();
    blobs::keeps_bytes(&store, folder.path()).await;
    blobs::has_what_it_kept(&store).await;
}

#[cfg(feature = "s3")]
mod s3 {
    use std::path::Path;
    use std::process::Stdio;

    use tokio::io::{AsyncBufReadExt, BufReader};
    use tokio::process::{Child, Command};

    use super::*;

    /// An S3-compatible server (moto) on a free port; it ends with this.
    struct Moto {
        endpoint: String,
        _process: Child,
    }

    impl Moto {
        async fn start() -> Self {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/clients/moto");
            let program = folder.join(".venv/bin/moto_server");
            assert!(program.exists(), "no moto: `make test` installs it");
            let mut process = Command::new(program)
                .args(["-H", "127.0.0.1", "-p", "0"])
                .env("PYTHONUNBUFFERED", "1")
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .kill_on_drop(true)
                .spawn()
                .unwrap();
            let mut said = BufReader::new(process.stderr.take().unwrap()).lines();
            let endpoint = loop {
                let line = said.next_line().await.unwrap().expect("it says where");
                if let Some((_, at)) = line.split_once("Running on ") {
                    break at.trim().to_owned();
                }
            };
            // What else it says has to go somewhere.
            tokio::spawn(async move { while let Ok(Some(_)) = said.next_line().await {} });
            Self {
                endpoint,
                _process: process,
            }
        }

        async fn bucket(&self, name: &str) {
            let client = reqwest::Client::new();
            let made = client.put(format!("{}/{name}", self.endpoint)).send().await;
            made.unwrap().error_for_status().unwrap();
        }

        fn options(&self, bucket: &str) -> S3Options {
            S3Options {
                endpoint: self.endpoint.clone(),
                bucket: bucket.to_owned(),
                region: "us-east-1".to_owned(),
                access_key: "key".to_owned(),
                secret_key: "secret".to_owned(),
                path_style: true,
                prefix: "crosstalk/".to_owned(),
            }
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn an_s3_compatible_server_keeps_blobs() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let moto = Moto::start().await;
        moto.bucket("kept").await;
        let folder = tempfile::tempdir().unwrap();
        let store = Blobs::s3(&moto.options("kept")).unwrap();
        blobs::keeps_bytes(&store, folder.path()).await;
        let again = Blobs::s3(&moto.options("kept")).unwrap();
        blobs::has_what_it_kept(&again).await;
        // It is where it was told to be, and nowhere else.
        let elsewhere = S3Options {
            prefix: String::new(),
            ..moto.options("kept")
        };
        let elsewhere = Blobs::s3(&elsewhere).unwrap();
        assert!(elsewhere.get("test/kept", 0..5).await.unwrap().is_none());
        let there = elsewhere.get("crosstalk/test/kept", 0..5).await.unwrap();
        assert!(there.is_some());
        // A bucket that is not there is a failure, not an absence of what was asked for.
        let nowhere = Blobs::s3(&moto.options("nowhere")).unwrap();
        let put = nowhere.put("test/x", Bytes::from_static(b"x")).await;
        put.unwrap_err();
        let path = folder.path().join("given");
        for size in [5, PART_BYTES + 3] {
            std::fs::write(&path, vec![7; size]).unwrap();
            nowhere.put_file("test/x", &path).await.unwrap_err();
        }
    }
}
