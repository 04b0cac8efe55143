@NullMarked
package com.datanadhi.hub.cli;

import org.jspecify.annotations.NullMarked;
