# Part of the scripts in this folder: `read_environment FILE` exports each NAME=value of an environment file. A value may
# stand in double or single quotes; nothing in it is executed.
read_environment() {
    while IFS= read -r line || [ -n "$line" ]; do
        case $line in
        '' | '#'*) continue ;;
        [A-Z]*=*) ;;
        *)
            echo "$1: not a setting: ${line%%=*}" >&2
            exit 2
            ;;
        esac
        value=${line#*=}
        case $value in
        \"*\") value=${value#\"} value=${value%\"} ;;
        \'*\') value=${value#\'} value=${value%\'} ;;
        esac
        export "${line%%=*}=$value"
    done <"$1"
}
