@NullMarked
package com.datanadhi.hub.hub;

import org.jspecify.annotations.NullMarked;
