# With --help or -h, prints the comment at the head of the script that sources this file, and exits.
case " $* " in
*' --help '* | *' -h '*)
  sed -n '1d; /^#/!q; s/^# //p' "$0"
  exit 0
  ;;
esac
