@NullMarked
package com.datanadhi.hub.apply;

import org.jspecify.annotations.NullMarked;
