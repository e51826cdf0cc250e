// Command clipcap-extract turns images into the features that training and captioning start from.
package main

import "github.com/clipcap-go/clipcap/internal/cli"

func main() { cli.Main(program()) }
