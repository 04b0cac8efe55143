/// Tries restores before they are needed.
@NullMarked
package com.datanadhi.hub.drill;

import org.jspecify.annotations.NullMarked;
