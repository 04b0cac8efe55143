@NullMarked
package com.datanadhi.hub.view;

import org.jspecify.annotations.NullMarked;
