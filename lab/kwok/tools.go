//go:build tools

// Keeps in go.mod what the lab builds of it: this is a program, which nothing imports.
package kwok

import (
	_ "sigs.k8s.io/kwok/cmd/kwok"
)
