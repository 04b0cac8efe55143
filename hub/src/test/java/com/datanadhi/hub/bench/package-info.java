/// Parts of the hub as programs, for the measurements of `scripts/bench --hub`.
@NullMarked
package com.datanadhi.hub.bench;

import org.jspecify.annotations.NullMarked;
