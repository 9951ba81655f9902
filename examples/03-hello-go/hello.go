// Answers a request as CGI: variables in, stdin is the body, stdout is the answer.
package main

import (
	"cmp"
	"fmt"
	"os"
)

func main() {
	fmt.Print("Content-Type: text/plain\n\n")
	fmt.Printf("%s from Go at %s\n", cmp.Or(os.Getenv("GREETING"), "Hello"), cmp.Or(os.Getenv("PATH_INFO"), "/"))
}
