//! Answers a request as CGI: variables in, stdin is the body, stdout is the answer.
use std::env;

fn variable(name: &str, otherwise: &str) -> String {
    env::var(name).ok().filter(|value| !value.is_empty()).unwrap_or_else(|| otherwise.into())
}

fn main() {
    println!("Content-Type: text/plain\n");
    println!("{} from Rust at {}", variable("GREETING", "Hello"), variable("PATH_INFO", "/"));
}
